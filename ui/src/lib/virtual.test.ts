import { describe, expect, it } from "vitest";
import { reveal, span, TALLEST } from "./virtual";

describe("span", () => {
  it("gives as many rows at any place", () => {
    const counts = [0, 1, 777, 52_000, 5_199_400].map((top) => span(100_000, 52, 600, top).count);
    expect(new Set(counts)).toEqual(new Set([24]));
  });

  it("covers what is in view, with rows to spare", () => {
    const at = span(100_000, 52, 600, 520_000);
    expect(at.first * 52).toBeLessThanOrEqual(520_000);
    expect((at.first + at.count) * 52).toBeGreaterThanOrEqual(520_600);
    expect(at.offset).toBe(at.first * 52);
  });

  it("reaches the last row of a list that is taller than a browser can lay out", () => {
    const at = span(1_000_000, 52, 600, TALLEST - 600);
    expect(at.height).toBe(TALLEST);
    expect(at.first + at.count).toBe(1_000_000);
    // The last row ends where the scrolled area ends.
    expect(Math.abs(at.offset + at.count * 52 - TALLEST)).toBeLessThan(1);
  });

  it("knows short and empty lists", () => {
    expect(span(3, 52, 600, 0)).toEqual({ first: 0, count: 3, offset: 0, height: 156 });
    expect(span(0, 52, 600, 0).count).toBe(0);
    // After a filter the place may lie behind the end.
    expect(span(3, 52, 600, 9000).first).toBe(0);
  });
});

describe("reveal", () => {
  it("scrolls no more than it must", () => {
    expect(reveal(5, 100, 50, 500, 0)).toBe(0);
    expect(reveal(10, 100, 50, 500, 0)).toBe(50);
    expect(reveal(2, 100, 50, 500, 400)).toBe(100);
  });

  it("finds rows of a list that is scrolled in proportion", () => {
    const top = reveal(999_999, 1_000_000, 52, 600, 0);
    const at = span(1_000_000, 52, 600, top);
    expect(at.first + at.count).toBe(1_000_000);
  });
});
