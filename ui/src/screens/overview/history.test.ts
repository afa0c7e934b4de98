import { describe, expect, it } from "vitest";
import type { Outage } from "../../lib/bindings";
import { lasted, rows } from "./history";

const NOW = new Date(2026, 2, 12, 10, 24).getTime();
const at = (day: number, hour: number) => new Date(2026, 2, day, hour).toISOString();

function outage(of: string, since: string, until: string | null, absent = 0): Outage {
  return { of, channel: "inbox", also: [], state: "needs_attention", reason: "unknown", since, until, evidence: null, absent };
}

describe("rows", () => {
  it("puts a disconnect over midnight into both days", () => {
    const [row] = rows([outage("ann", at(9, 22), at(10, 3))], ["ann"], NOW, 30);
    const marked = row?.days.filter((day) => day.outages.length > 0).map((day) => new Date(day.start).getDate());
    expect(marked).toEqual([9, 10]);
    expect(row?.days).toHaveLength(30);
  });

  it("ends a day at midnight: what ends then is not of the next day", () => {
    const [row] = rows([outage("ann", at(9, 20), at(10, 0))], ["ann"], NOW, 30);
    expect(row?.days.filter((day) => day.outages.length > 0)).toHaveLength(1);
  });

  it("carries what is not over to today, also on a day with a change of the clock", () => {
    const spring = new Date(2026, 3, 1, 12).getTime();
    const [row] = rows([outage("ann", new Date(2026, 2, 28, 12).toISOString(), null)], ["ann"], spring, 5);
    expect(row?.days.map((day) => day.outages.length)).toEqual([1, 1, 1, 1, 1]);
    expect(row?.days.map((day) => new Date(day.start).getHours())).toEqual([0, 0, 0, 0, 0]);
  });

  it("has a row for a mailbox that was never disconnected and for one that is gone", () => {
    expect(rows([outage("old", at(1, 1), at(1, 2))], ["ann"], NOW, 30).map((row) => row.of)).toEqual(["ann", "old"]);
  });
});

describe("lasted", () => {
  it("is never negative", () => {
    expect(lasted(outage("ann", at(12, 9), null), NOW)).toBe(84 * 60_000);
    expect(lasted(outage("ann", at(12, 12), null), NOW)).toBe(0);
  });

  it("leaves out the time in which the computer slept", () => {
    expect(lasted(outage("ann", at(9, 22), at(10, 8), 9 * 3600), NOW)).toBe(60 * 60_000);
  });
});
