import { expect, it } from "vitest";
import type { RelayStatus } from "../../lib/bindings";
import { said } from "../../lib/errors";
import { port, relayFault, relayState } from "./relay";

const status: RelayStatus = { settings: { on: true, tls_port: 1465, starttls_port: 1587 }, state: null, answers: false, fingerprint: null, certificate_ends: null, mailboxes: [] };

it("says how the relay stands", () => {
  expect(relayState({ ...status, settings: { ...status.settings, on: false } })).toBe("off");
  expect(relayState({ ...status, answers: true })).toBe("answers");
  expect(relayState(status)).toBe("silent");
  expect(relayState({ ...status, state: { state: "failed", since: "2026-03-12T09:00:00Z", code: "relay_port", port: 1465, words: "taken" } })).toBe("failed");
});

it("says why it cannot listen, in the person's language", () => {
  const failed = { ...status, state: { state: "failed" as const, since: "2026-03-12T09:00:00Z", code: "relay_port", port: 1465, words: "The relay cannot listen." } };
  const fault = relayFault(failed);
  expect(fault?.values).toEqual({ port: "1465" });
  expect(said("", fault).cause).toContain("1465");
  // As an earlier version kept it.
  const older = relayFault({ ...failed, state: { ...failed.state, code: "", port: null } });
  expect(said("", older).cause).toBe("The relay cannot listen.");
  expect(relayFault({ ...failed, answers: true })).toBeNull();
});

it("reads a port", () => {
  expect([" 1465 ", "1", "65535"].map(port)).toEqual([1465, 1, 65_535]);
  expect(["", "0", "65536", "1e3", "-1", "x"].map(port)).toEqual([null, null, null, null, null, null]);
});
