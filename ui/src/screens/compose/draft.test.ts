import { describe, expect, it } from "vitest";
import { askedFor, asWritten, blank, isBlank, isPerson, lacks, peopleIn, toMail, withTemplate } from "./draft.svelte";

describe("a mail that is written", () => {
  it("needs a mailbox, somebody and a text or a file", () => {
    const empty = blank();
    expect(lacks(empty)).toEqual(["mailbox", "to", "text"]);
    expect(lacks({ ...empty, mailbox: "ann@x.example", bcc: ["carl@y.example"], html: "<p>Hello</p>" })).toEqual([]);
    expect(lacks({ ...blank("ann@x.example", "carl@y.example"), files: [{ id: 1, name: "Offer.pdf", bytes: 9 }] })).toEqual([]);
  });

  it("is blank while nothing would be lost with it", () => {
    expect(isBlank(blank("ann@x.example", "carl@y.example"))).toBe(true);
    expect(isBlank({ ...blank(), text: " \n" })).toBe(true);
    expect(isBlank({ ...blank(), subject: "Offer" })).toBe(false);
  });

  it("goes with what was filled in and nothing else", () => {
    const draft = { ...blank("ann@x.example", "carl@y.example"), name: " Ann ", values: { order_no: "17", day: " " }, files: [{ id: 4, name: "a", bytes: 1 }] };
    expect(toMail(draft, new Date("2026-03-12T18:00:00Z"))).toMatchObject({
      from_name: "Ann", html: null, values: [["order_no", "17"]], files: [4], at: "2026-03-12T18:00:00.000Z",
    });
    expect(toMail({ ...draft, name: "" }).from_name).toBe(null);
  });

  it("takes a template's texts, and keeps whom it goes to", () => {
    const draft = { ...blank("ann@x.example", "carl@y.example"), text: "old", values: { x: "1" } };
    const next = withTemplate(draft, { name: "Offer", subject: "For {{name}}", text: "Dear {{name}}", html: null });
    expect(next).toMatchObject({ to: ["carl@y.example"], template: "Offer", subject: "For {{name}}", text: "Dear {{name}}", html: "", values: {} });
    expect(withTemplate(next, null)).toMatchObject({ template: null, text: "Dear {{name}}" });
  });

  it("goes on asking for a variable while it is filled in", () => {
    expect(askedFor({ ...blank(), values: { order_no: "1" } }, ["day"])).toEqual(["day", "order_no"]);
  });
});

describe("people", () => {
  it("are written as mail programs do", () => {
    expect(asWritten("Carl Meier", "c@x.example")).toBe("Carl Meier <c@x.example>");
    expect(asWritten("Meier, Carl", "c@x.example")).toBe('"Meier, Carl" <c@x.example>');
    expect(asWritten('"<>', "c@x.example")).toBe("c@x.example");
    expect(asWritten(null, "c@x.example")).toBe("c@x.example");
  });

  it("are divided where no quotes hold them together", () => {
    expect(peopleIn('a@x.example; "Meier, Carl" <c@x.example>,\nb@x.example, ')).toEqual(["a@x.example", '"Meier, Carl" <c@x.example>', "b@x.example"]);
    expect(peopleIn(" ")).toEqual([]);
  });

  it("have an address", () => {
    expect(["c@x.example", "Carl <c@x.example>"].map(isPerson)).toEqual([true, true]);
    expect(["Carl", "Carl <c>", "c@", "@x", "a b@x.example"].map(isPerson)).toEqual([false, false, false, false, false]);
  });
});
