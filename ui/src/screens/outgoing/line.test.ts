import { expect, it } from "vitest";
import type { SendLine } from "../../lib/bindings";
import { answer, deeds, isOpen, note, standing } from "./line";

const line: SendLine = {
  id: 1, account: "ann@x.example", state: "sent", to: ["carl@y.example"], subject: "Offer", bytes: 1, created_at: "2026-03-12T09:00:00Z", due: "2026-03-12T09:00:10Z",
  sent_at: "2026-03-12T09:00:11Z", reason: null, words: null, refused: [], copy: "filed", copy_rule: "provider", copy_folder: null, copy_words: null, message: null, message_id: "1@x.example",
};
const waits: SendLine = { ...line, state: "waiting", copy: null };

it("says how a mail stands", () => {
  expect(standing(line)).toBe("sent");
  expect(standing({ ...line, refused: [["dora@y.example", "550 no"]] })).toBe("sent_partly");
  expect(standing(waits)).toBe("going");
  expect(standing({ ...waits, due: "2026-03-12T18:00:00Z" })).toBe("scheduled");
  expect(standing({ ...waits, words: "451 later" })).toBe("delayed");
  expect(standing({ ...line, state: "unknown", copy: null })).toBe("unknown");
});

it("offers what can be done, and nothing else", () => {
  expect([waits, line, { ...line, copy: "failed" as const }, { ...waits, state: "refused" as const }, { ...waits, state: "unknown" as const }, { ...waits, state: "submitting" as const }].map(deeds)).toEqual([
    ["cancel"], [], ["copy"], ["again"], ["confirm", "again"], [],
  ]);
  expect([line, { ...line, copy: "failed" as const }, { ...waits, state: "unknown" as const }].map(isOpen)).toEqual([false, true, true]);
});

it("tells the server's answer from the program's own words", () => {
  const refused = { ...waits, state: "refused" as const };
  expect(answer({ ...refused, words: "552 5.3.4 too large" })).toBe("552 5.3.4 too large");
  const own = { ...refused, words: "The mail has 26.2 MB with its files." };
  expect([answer(own), note(own)]).toEqual([null, "The mail has 26.2 MB with its files."]);
  expect(note({ ...own, reason: "connection_reset" })).toBeNull();
  expect(note({ ...own, state: "unknown" })).toBeNull();
  expect(answer({ ...line, words: "250 2.0.0 queued" })).toBeNull();
});
