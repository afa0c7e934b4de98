import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { PRECEDENCE } from "./precedence";

const core = "../src-tauri/crates/core/src";

it("has each of the program's rules once", () => {
  const names = [...readFileSync(`${core}/rule.rs`, "utf8").matchAll(/^ {12}Rule::\w+ => "(\w+)",$/gm)].map((match) => match[1] ?? "");
  expect(PRECEDENCE.flatMap((place) => place.rules).sort()).toEqual(names.sort());
});

it("is the order in which `decide` asks them, as far as its first lines go", () => {
  const source = readFileSync(`${core}/decide.rs`, "utf8");
  const body = source.slice(source.indexOf("\nfn verdict("));
  const at = (rule: string) => body.search(new RegExp(`Rule::${rule.replace(/(^|_)(\w)/g, (_, __, letter: string) => letter.toUpperCase())}\\b`));
  const asked = PRECEDENCE.slice(0, 3).flatMap((place) => place.rules).map(at);
  expect(asked.every((place) => place >= 0)).toBe(true);
  expect(asked).toEqual([...asked].sort((a, b) => a - b));
});
