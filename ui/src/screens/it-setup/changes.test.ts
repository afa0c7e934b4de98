import { beforeAll, expect, it } from "vitest";
import { setLocale } from "../../lib/i18n.svelte";
import { changeWords } from "./changes";

beforeAll(() => setLocale("en"));

it("says what is set, and what it takes the place of", () => {
  const webhook = { kind: "webhook" as const, url: "https://crm.firm.example/…" };
  expect(changeWords({ sets: "crm", crm: webhook, instead_of: [{ kind: "folder", dir: "/home/ann/crm" }] })).toEqual({
    title: "Logged mail goes to", text: "Webhook (https://crm.firm.example/…)", instead: "Now: Local folder (/home/ann/crm)",
  });
  expect(changeWords({ sets: "mode", mode: "everyone_outside", instead_of: ["ann@firm.example", "bob@firm.example"] })).toEqual({
    title: "Which mails are logged?", text: "Everyone outside", instead: "Changes 2 mailboxes",
  });
  expect(changeWords({ sets: "oauth_app", provider: "other", client_id: "abc", at: "https://id.firm.example", instead_of: null })).toEqual({
    title: "Sign-in with https://id.firm.example", text: "abc", instead: null,
  });
});

it("shows what was written by somebody as plain text", () => {
  expect(changeWords({ sets: "never", who: ["\u202e@moc.mrif", "a\u0000b"] }).text).toBe("@moc.mrif, ab");
});
