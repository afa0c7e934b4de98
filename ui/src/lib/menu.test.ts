import { describe, expect, it } from "vitest";
import { besides, step } from "./menu";

const WINDOW = { width: 800, height: 600 };

describe("a menu's place", () => {
  it("is below the button, flush with its right side", () => {
    expect(besides({ top: 20, bottom: 50, right: 700 }, { width: 200, height: 100 }, WINDOW)).toEqual({ top: 54, left: 500 });
  });

  it("is above it where below is too little room", () => {
    expect(besides({ top: 550, bottom: 580, right: 700 }, { width: 200, height: 100 }, WINDOW).top).toBe(446);
  });

  it("is never out of the window", () => {
    expect(besides({ top: 20, bottom: 50, right: 100 }, { width: 200, height: 100 }, WINDOW).left).toBe(8);
    expect(besides({ top: 300, bottom: 330, right: 900 }, { width: 200, height: 590 }, WINDOW)).toEqual({ top: 8, left: 592 });
  });
});

describe("a menu's keys", () => {
  const labels = ["Open in CRM", "Stop logging", "Other", "Örtlich"];

  it("go round", () => {
    expect(step("ArrowDown", -1, labels)).toBe(0);
    expect(step("ArrowDown", 3, labels)).toBe(0);
    expect(step("ArrowUp", -1, labels)).toBe(3);
    expect(step("ArrowUp", 0, labels)).toBe(3);
    expect(step("End", 0, labels)).toBe(3);
    expect(step("Home", 2, labels)).toBe(0);
  });

  it("find by the first letter, from the next entry on", () => {
    expect(step("o", 0, labels)).toBe(2);
    expect(step("O", 2, labels)).toBe(0);
    expect(step("Ö", 0, labels)).toBe(3);
    expect(step("x", 0, labels)).toBeNull();
  });

  it("are left alone where they are not the menu's", () => {
    expect(step(" ", 0, labels)).toBeNull();
    expect(step("Enter", 0, labels)).toBeNull();
    expect(step("ArrowDown", 0, [])).toBeNull();
  });
});
