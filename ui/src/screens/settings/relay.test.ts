import { expect, it } from "vitest";
import type { RelayStatus } from "../../lib/bindings";
import { port, relayState } from "./relay";

const status: RelayStatus = { settings: { on: true, tls_port: 1465, starttls_port: 1587 }, state: null, answers: false, fingerprint: null, certificate_ends: null, mailboxes: [] };

it("says how the relay stands", () => {
  expect(relayState({ ...status, settings: { ...status.settings, on: false } })).toBe("off");
  expect(relayState({ ...status, answers: true })).toBe("answers");
  expect(relayState(status)).toBe("silent");
  expect(relayState({ ...status, state: { state: "failed", since: "2026-03-12T09:00:00Z", words: "taken" } })).toBe("failed");
});

it("reads a port", () => {
  expect([" 1465 ", "1", "65535"].map(port)).toEqual([1465, 1, 65_535]);
  expect(["", "0", "65536", "1e3", "-1", "x"].map(port)).toEqual([null, null, null, null, null, null]);
});
