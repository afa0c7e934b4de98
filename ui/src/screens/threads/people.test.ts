import { expect, it } from "vitest";
import { called, deliveryOf, domainOf, people, subjectOf } from "./people";

it("names people without what hides in a name", () => {
  expect(called({ name: "Ben\u202E nahoJ", address: "ben@oak.example" })).toBe("Ben nahoJ");
  expect(called({ name: " \u200b", address: "ben@oak.example" })).toBe("ben@oak.example");
  const crowd = Array.from({ length: 500 }, (_, i) => ({ name: null, address: `p${i}@oak.example` }));
  expect(people(crowd)).toEqual({ names: "p0@oak.example, p1@oak.example, p2@oak.example", more: 497 });
});

it("says the gravest delivery of a conversation", () => {
  const crm = (state: string) => ({ sink: "hubspot", state, messages: 1 });
  expect(deliveryOf({ crm: [] })).toBeNull();
  expect(deliveryOf({ crm: [crm("done")] })?.tone).toBe("ok");
  expect(deliveryOf({ crm: [crm("done"), crm("waiting")] })?.tone).toBe("busy");
  expect(deliveryOf({ crm: [crm("set_aside"), crm("done")] })?.tone).toBe("bad");
});

it("has a word for a mail without a subject", () => {
  expect(subjectOf(null)).not.toBe("");
  expect(domainOf("a@b@oak.example")).toBe("oak.example");
});
