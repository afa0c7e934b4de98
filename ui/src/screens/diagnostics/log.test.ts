import { expect, it } from "vitest";
import type { LogLine } from "../../lib/bindings";
import { atLeast, join, matching, MOST_LINES, type Level } from "./log";

const line = (id: number, level: Level = "info", text = "x"): LogLine => ({
  id, at: "2026-11-24T08:00:00Z", level, target: "threadline_engine", text,
});

it("takes each line once, and lets the oldest go", () => {
  expect(join([line(1), line(2)], [line(2), line(3)]).map((one) => one.id)).toEqual([1, 2, 3]);
  const many = join([], Array.from({ length: MOST_LINES + 5 }, (_, at) => line(at)));
  expect(many).toHaveLength(MOST_LINES);
  expect(many[0]?.id).toBe(5);
});

it("shows what is at least as grave, and holds the words", () => {
  const lines = [line(1, "error"), line(2, "debug"), line(3, "warn", "Sign-in refused")];
  expect(atLeast(lines, "warn").map((one) => one.id)).toEqual([1, 3]);
  expect(matching(lines, " sign-in ").map((one) => one.id)).toEqual([3]);
  expect(matching(lines, "ENGINE")).toHaveLength(3);
});
