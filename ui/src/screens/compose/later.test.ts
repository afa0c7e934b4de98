import { expect, it } from "vitest";
import { choices, fromField, toField } from "./later";

const when = (now: Date) => choices(now).map((one) => one.when);

it("offers the usual times, and none twice", () => {
  // A Thursday, a Sunday.
  expect(when(new Date(2026, 2, 12, 10, 24))).toEqual(["hour", "evening", "tomorrow", "monday"]);
  expect(when(new Date(2026, 2, 12, 17, 30))).toEqual(["hour", "tomorrow", "monday"]);
  expect(when(new Date(2026, 2, 15, 10, 0))).toEqual(["hour", "evening", "tomorrow"]);
  expect(when(new Date(2026, 2, 15, 17, 0))).toEqual(["hour", "tomorrow"]);
  const monday = choices(new Date(2026, 2, 16, 9, 0)).at(-1);
  expect(monday?.at).toEqual(new Date(2026, 2, 23, 8, 0));
});

it("reads what the field holds, and what is typed where it has no calendar", () => {
  const at = new Date(2026, 11, 24, 8, 5);
  expect(toField(at)).toBe("2026-12-24T08:05");
  expect(fromField(toField(at))).toEqual(at);
  expect(fromField("2026-12-24 8:05")).toEqual(at);
  for (const text of ["", "tomorrow", "2026-02-30T10:00", "2026-01-01T25:00", "2026-13-01T10:00"]) expect(fromField(text), text).toBe(null);
});
