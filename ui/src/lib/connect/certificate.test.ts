import { expect, it } from "vitest";
import { fingerprintLines } from "./certificate";

it("a fingerprint is shown in two lines of sixteen pairs, however it comes", () => {
  const hex = "0123456789abcdef".repeat(4);
  const shown = ["01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF", "01:23:45:67:89:AB:CD:EF:01:23:45:67:89:AB:CD:EF"];
  expect(fingerprintLines(hex)).toEqual(shown);
  expect(fingerprintLines(hex.match(/../g)!.join(":"))).toEqual(shown);
});
