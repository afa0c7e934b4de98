import { expect, it } from "vitest";
import type { Rules } from "../../lib/bindings";
import { added, address, domain, folder } from "./entries";

it("brings domains to their ASCII form", () => {
  expect(domain(" @Oak.Example. ")).toEqual({ ok: true, value: "oak.example" });
  expect(domain("bücher.example")).toEqual({ ok: true, value: "xn--bcher-kva.example" });
});

it("takes no domain for what is none", () => {
  for (const text of ["", "oak", "oak..example", "-oak.example", "oak.example/x", "1.2.3.4", "a b.example"]) {
    expect(domain(text), text).toEqual({ ok: false });
  }
});

it("knows an address by its one @ and its domain", () => {
  expect(address("<Ben@Oak.example>")).toEqual({ ok: true, value: "ben@oak.example" });
  for (const text of ["ben", "@oak.example", "ben@", "b en@oak.example", "a@b@oak.example", "ben@oak"]) {
    expect(address(text), text).toEqual({ ok: false });
  }
});

it("keeps a folder's name as it is spelt", () => {
  expect(folder(" INBOX/Private ")).toEqual({ ok: true, value: "INBOX/Private" });
  expect(folder("  ")).toEqual({ ok: false });
});

it("names whom the rules newly keep out", () => {
  const rules = { never_addresses: ["a@x.example"], never_domains: ["y.example"] } as unknown as Rules;
  const now = { never_addresses: ["a@x.example", "b@x.example"], never_domains: ["y.example", "z.example"] } as unknown as Rules;
  expect(added(rules, now)).toEqual(["b@x.example", "@z.example"]);
  expect(added(now, rules)).toEqual([]);
  expect(added(null, rules)).toEqual(["a@x.example", "@y.example"]);
});
