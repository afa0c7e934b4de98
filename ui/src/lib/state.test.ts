import { describe, expect, it } from "vitest";
import type { Health, State } from "./bindings";
import { setLocale } from "./i18n.svelte";
import { gravest, overall, speaking, stateIcon, stateWord } from "./state";

const STATES: readonly State[] = ["connected", "working", "retrying", "offline", "needs_attention", "paused"];

function health(channel: Health["channel"], state: State, since: string): Health {
  return { channel, state, phase: null, reason: null, since, evidence: null, next_try: null };
}

describe("a state", () => {
  it("has a word and a picture of its own, in both languages", async () => {
    expect(new Set(STATES.map(stateIcon)).size).toBe(STATES.length);
    for (const locale of ["en", "de"] as const) {
      await setLocale(locale);
      expect(new Set(STATES.map(stateWord)).size).toBe(STATES.length);
    }
  });
});

describe("the gravest state", () => {
  it("speaks for all", () => {
    expect(gravest(["connected", "needs_attention", "retrying"])).toBe("needs_attention");
    expect(gravest(["paused", "connected"])).toBe("paused");
    expect(gravest([])).toBeNull();
  });

  it("is none where there is no mailbox, whatever the CRM's is", () => {
    expect(overall({ running: null, mailboxes: [], crms: [], unusable_crms: [] })).toBeNull();
  });

  it("is explained by the channel that has it the longest", () => {
    const channels = [
      health("inbox", "connected", "2026-03-01T00:00:00Z"),
      health("sent", "needs_attention", "2026-03-12T08:05:00Z"),
      health("smtp", "needs_attention", "2026-03-12T08:02:00Z"),
    ];
    expect(speaking(channels)?.channel).toBe("smtp");
    expect(speaking([])).toBeNull();
  });
});
