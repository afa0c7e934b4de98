import { describe, expect, it } from "vitest";
import { foreign } from "./foreign";

describe("foreign", () => {
  it("shows what would turn the reading direction", () => {
    expect(foreign("invoice\u202Efdp.exe")).toBe("invoice\ufffdfdp.exe");
    expect(foreign("a\u0000b\u001bc\u2066d")).toBe("a\ufffdb\ufffdc\ufffdd");
  });

  it("leaves languages as they are", () => {
    for (const text of ["Größe Dvořák", "שלום", "日本語", "😀 ok", "two\nlines\tand tabs"]) expect(foreign(text)).toBe(text);
  });

  it("cuts long text, and never through a character", () => {
    expect(foreign("x".repeat(400))).toBe(`${"x".repeat(300)}…`);
    expect(foreign("😀😀😀", 3)).toBe("😀…");
  });
});
