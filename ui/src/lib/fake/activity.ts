/** Decisions and pushes, past ones made by their number, new ones as time goes. */
import type { Activity, ActivityKind, FailedPush, Outcome, Rule } from "../bindings";
import { ANN, person, SALES } from "./people";
import { pick, random } from "./random";
import type { Scene } from "./status";
import { SUBJECTS } from "./texts";
import { ago, MINUTE, now } from "./time";

/** The number of the newest entry at the start. */
export const NEWEST = 5400;

type Shape = { kind: ActivityKind; outcome: Outcome | null; rule: Rule | null };

const SHAPES: readonly Shape[] = [
  { kind: "decided", outcome: "log", rule: "sent_to_contact" },
  { kind: "pushed", outcome: null, rule: null },
  { kind: "decided", outcome: "log", rule: "reply_in_logged_thread" },
  { kind: "pushed", outcome: null, rule: null },
  { kind: "decided", outcome: "ignore", rule: "only_colleagues" },
  { kind: "decided", outcome: "ignore", rule: "newsletter" },
  { kind: "decided", outcome: "ignore", rule: "unknown_sender" },
  { kind: "decided", outcome: "ask", rule: "unknown_recipient" },
  { kind: "decided", outcome: "log", rule: "sent_in_logged_thread" },
  { kind: "pushed", outcome: null, rule: null },
  { kind: "decided", outcome: "ignore", rule: "auto_reply" },
  { kind: "decided", outcome: "ask", rule: "new_from_contact" },
];

export function entry(id: number, at: string): Activity {
  const next = random(id * 17 + 3);
  const who = person(Math.floor(next() * 180));
  const base: Activity = {
    id, at, kind: "health", of: next() < 0.8 ? ANN.address : SALES, message: null, thread: null, direction: null, outcome: null,
    rule: null, reason: null, state: null, folder: null, subject: null, with: null, words: null,
  };
  if (id % 97 === 0) return { ...base, state: "retrying", reason: "connection_reset" };
  if (id % 97 === 1) return { ...base, state: "connected" };
  if (id % 61 === 0) {
    return { ...base, kind: "push_failed", of: "hubspot", message: id, thread: 3, subject: pick(next, SUBJECTS), with: who.name ?? null, reason: "throttled", words: "429: You have reached your ten_secondly_rolling limit." };
  }
  if (id % 211 === 0) return { ...base, kind: "set_aside", message: id, folder: "INBOX", words: "The message's structure cannot be read." };
  const shape = pick(next, SHAPES);
  const logged = shape.kind === "pushed" || shape.outcome === "log";
  const out = shape.rule === null ? next() < 0.5 : shape.rule.startsWith("sent") || shape.rule === "unknown_recipient" || shape.rule === "only_colleagues";
  return {
    ...base, ...shape, of: shape.kind === "pushed" ? "hubspot" : base.of, message: id, thread: logged ? 1 + (id % 40) : null,
    direction: out ? "outgoing" : "incoming", folder: shape.kind === "pushed" ? null : out ? "Sent" : "INBOX",
    subject: logged ? pick(next, SUBJECTS) : null, with: logged ? (who.name ?? who.address) : null,
  };
}

export function page(before: number | null, limit: number, newest: number): Activity[] {
  const from = before === null ? newest : Math.min(newest, before - 1);
  const count = Math.max(0, Math.min(limit, from));
  return Array.from({ length: count }, (_, n) => {
    const id = from - n;
    // What is older than the start stands at a fixed distance before it.
    return entry(id, new Date(now() - (newest - id) * 2.3 * MINUTE - 40_000).toISOString());
  });
}

export function failed(scene: Scene): FailedPush[] {
  if (scene === "hostile") {
    return [{ outbox: 9, sink: "hubspot", message: 9, thread: 1, subject: `<img src=x onerror=alert(1)> \u202Egnp.exe ${"long ".repeat(60)}`, reason: "crm_rejected", words: `{"status":"error","message":"<script>alert(1)</script>${"z".repeat(500)}"}`, attempts: 12, next_try: null }];
  }
  if (scene !== "broken") return [];
  return [
    { outbox: 81, sink: "hubspot", message: 4101, thread: 4, subject: "Frame contract: comments from legal", reason: "crm_rejected", words: "400 INVALID_EMAIL: Email address marta.lindqvist@bluebird-logistics is invalid", attempts: 1, next_try: null },
    { outbox: 77, sink: "hubspot", message: 4088, thread: 9, subject: "Offer 2026-0117, revised", reason: "scope_missing", words: "403 MISSING_SCOPES: files", attempts: 2, next_try: null },
    { outbox: 95, sink: "hubspot", message: 4133, thread: 7, subject: "Visit to your plant in May", reason: "crm_record_missing", words: null, attempts: 30, next_try: null },
    { outbox: 92, sink: "hubspot", message: 4130, thread: 2, subject: "Delivery date for order 20418", reason: "throttled", words: "429: You have reached your ten_secondly_rolling limit.", attempts: 4, next_try: new Date(now() + 9_000).toISOString() },
  ];
}

/** The time of a live entry. */
export function justNow(): string {
  return ago(0);
}
