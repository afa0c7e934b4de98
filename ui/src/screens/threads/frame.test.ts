import { expect, it } from "vitest";
import { frameHeight } from "./frame";

it("grows with the text, within bounds", () => {
  expect(frameHeight("")).toBe(9);
  expect(frameHeight("a\n".repeat(8))).toBeGreaterThan(frameHeight("a\n".repeat(5)));
  expect(frameHeight("a".repeat(5_000_000))).toBe(26);
});
