import { expect, it } from "vitest";
import { frameHeight } from "./frame";

it("grows with the text, within bounds", () => {
  expect(frameHeight("", 500)).toBe(frameHeight("one line", 500));
  expect(frameHeight("a\n".repeat(8), 500)).toBeGreaterThan(frameHeight("a\n".repeat(5), 500));
  expect(frameHeight("a".repeat(5_000_000), 500)).toBe(frameHeight("a\n".repeat(100), 500));
});

it("is as tall as can be where the plain text does not tell", () => {
  expect(frameHeight("", 500, true)).toBe(frameHeight("a\n".repeat(100), 500));
});

it("is taller where the lines are short", () => {
  expect(frameHeight("word ".repeat(60), 300)).toBeGreaterThan(frameHeight("word ".repeat(60), 900));
});
