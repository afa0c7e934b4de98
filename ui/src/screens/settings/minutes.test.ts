import { expect, it } from "vitest";
import { fromField, toField } from "./minutes";

it("goes both ways", () => {
  for (const minutes of [0, 59, 60, 1350, 1439]) expect(fromField(toField(minutes))).toBe(minutes);
  expect(toField(1350)).toBe("22:30");
});

it("takes no time for what is none", () => {
  for (const text of ["", "24:00", "12:60", "noon"]) expect(fromField(text)).toBeNull();
});
