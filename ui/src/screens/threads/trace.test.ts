import { expect, it } from "vitest";
import type { Trace } from "../../lib/bindings";
import { byHand, mails, steps } from "./trace";

const trace: Trace = {
  message: 1, thread: null, folder: "Sent", place: null, subject: "Offer", to: [], sent_at: "2026-11-24T08:00:00Z",
  decided_at: "2026-11-24T08:00:02Z", stored_at: null, stage: "waiting", rule: "sent_to_contact", crm: [],
};

it("says which step is still ahead", () => {
  expect(steps(trace).map((step) => step.at !== null)).toEqual([true, true, false]);
});

it("does not promise the CRM a mail that a rule ignores", () => {
  expect(steps({ ...trace, stage: "ignored" }).map((step) => step.name)).toEqual(["sent", "decided"]);
});

it("names what can be logged by hand, by its number or its place", () => {
  const place = { folder: "Sent", uidvalidity: 7, uid: 12 };
  expect(byHand({ ...trace, stage: "ignored" })).toEqual({ by: "message", message: 1 });
  expect(byHand({ ...trace, stage: "not_seen", message: null, place })).toEqual({ by: "place", place });
  expect(byHand({ ...trace, stage: "not_seen", message: null })).toBeNull();
  expect(byHand({ ...trace, stage: "in_crm", place })).toBeNull();
});

it("does not count the notes about the mailbox as mails", () => {
  const note = { ...trace, message: null, decided_at: null };
  expect(mails([trace, { ...note, stage: "not_asked" }, { ...note, stage: "not_in_sent" }])).toEqual([trace]);
});
