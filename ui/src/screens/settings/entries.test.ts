import { expect, it } from "vitest";
import { address, domain, folder } from "./entries";

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
