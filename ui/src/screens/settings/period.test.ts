import { expect, it } from "vitest";
import { periods, periodText } from "./period";

it("says a period in words", () => {
  expect(["1d", "90d", "1m", "0m", "2y", "forever"].map(periodText)).toEqual([
    "1 day", "90 days", "This month and 1 more", "This month and 0 more", "2 years", "For ever",
  ]);
});

it("offers what is set, also where it is unusual", () => {
  expect(periods("45d")[0]).toEqual({ value: "45d", label: "45 days" });
  expect(periods("7d").filter((one) => one.value === "7d")).toHaveLength(1);
});
