import { describe, expect, it } from "vitest";
import type { Activity } from "../../lib/bindings";
import { fits, kindOf, merge, MOST } from "./feed";

function entry(id: number, more: Partial<Activity> = {}): Activity {
  return {
    id, at: "2026-03-12T09:24:00Z", kind: "decided", of: "ann", message: null, thread: null, direction: null, outcome: "log",
    rule: null, reason: null, state: null, folder: null, subject: null, with: null, words: null, ...more,
  };
}

describe("merge", () => {
  it("keeps each once, the newest first", () => {
    expect(merge([entry(3), entry(1)], [entry(4), entry(3), entry(2)]).map((one) => one.id)).toEqual([4, 3, 2, 1]);
  });

  it("lets the oldest go", () => {
    const many = Array.from({ length: MOST }, (_, n) => entry(n + 1));
    const all = merge(many, [entry(MOST + 1)]);
    expect(all).toHaveLength(MOST);
    expect(all.at(-1)?.id).toBe(2);
  });
});

describe("the filter", () => {
  it("tells decisions by their outcome and the rest by kind", () => {
    expect(kindOf(entry(1, { outcome: "ask" }))).toBe("ask");
    expect(kindOf(entry(1, { kind: "pushed", outcome: null }))).toBe("pushed");
    expect(fits(entry(1), { kind: "log", of: "ann" })).toBe(true);
    expect(fits(entry(1), { kind: "log", of: "hubspot" })).toBe(false);
    expect(fits(entry(1), { kind: "ignore", of: "all" })).toBe(false);
  });
});
