import { describe, expect, it } from "vitest";
import { bytes, countdown, duration, milliseconds, moment, relative, short } from "./format";

const NOW = Date.parse("2026-03-12T09:24:00Z");
const ago = (ms: number) => new Date(NOW - ms).toISOString();
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe("relative", () => {
  it("says near times in words, later ones by date", () => {
    expect(relative(ago(3000), "en", NOW)).toBe("now");
    expect(relative(ago(40_000), "en", NOW)).toBe("40 seconds ago");
    expect(relative(ago(3 * MINUTE), "de", NOW)).toBe("vor 3 Minuten");
    expect(relative(ago(-2 * HOUR), "en", NOW)).toBe("in 2 hours");
    expect(relative(ago(DAY), "en", NOW)).toBe("yesterday");
    expect(relative(ago(20 * DAY), "en", NOW)).toBe("20 Feb");
    expect(relative(ago(400 * DAY), "en", NOW)).toBe("5 Feb 2025");
  });
});

describe("moment and short", () => {
  it("name the day only where it is not today", () => {
    expect(moment(ago(HOUR), "en", NOW)).toMatch(/^\d\d:\d\d$/);
    expect(moment(ago(DAY), "de", NOW)).toMatch(/^gestern, \d\d:\d\d$/);
    expect(moment(ago(10 * DAY), "en", NOW)).toMatch(/^2 Mar, \d\d:\d\d$/);
    expect(short(ago(10 * DAY), "de", NOW)).toBe("2. März");
  });
});

describe("lengths and sizes", () => {
  it("are short", () => {
    expect(duration(45_000, "en")).toBe("45 s");
    expect(duration(82 * MINUTE, "en")).toBe("1 h 22 min");
    expect(duration(2 * HOUR, "en")).toBe("2 h");
    expect(duration(26 * HOUR, "de")).toBe("1 T 2 h");
    expect(milliseconds(18.4, "en")).toBe("18 ms");
    expect(milliseconds(1240, "de")).toBe("1,2 s");
    expect(bytes(999, "en")).toBe("999 B");
    expect(bytes(1_250_000, "de")).toBe("1,3 MB");
  });

  it("count down and stop at zero", () => {
    expect(countdown(41_200)).toBe("0:42");
    expect(countdown(725_000)).toBe("12:05");
    expect(countdown(-5)).toBe("0:00");
  });
});
