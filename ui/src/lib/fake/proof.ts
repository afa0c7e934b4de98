/** Audits, what left, the trash, the clocks: what the screens of proof and retention show. */
import type { AuditLine, AuditReport, EgressLine, FileFate, Goes, Limits, MessageView, NightlyAudit, PurgeReport, Retention, TrashLine } from "../bindings";
import { ANN, mailbox, person } from "./people";
import { random } from "./random";
import type { Scene } from "./status";
import { SUBJECTS } from "./texts";
import { ago, DAY, HOUR, MINUTE, now } from "./time";

export function retention(): Retention {
  return {
    metadata: { headers: "1m", body: "1m" }, gesture: { headers: "1d", body: "1d" }, noticed: { headers: "7d", body: "7d" },
    sent: { headers: "1y", body: "1y" }, deleted: { headers: "90d", body: "90d" }, hold: false,
  };
}

export function nightly(): NightlyAudit {
  return { on: true, days: 30, fix: false, last: ago(6 * HOUR + 24 * MINUTE) };
}

export function limits(): Limits {
  return { most_bytes: 50 * 1024 * 1024, never_endings: ["exe"] };
}

function lines(count: number, missed: boolean): AuditLine[] {
  return Array.from({ length: count }, (_, n) => ({
    date: ago((n + 1) * 31 * HOUR), folder: n % 2 === 0 ? "Sent" : "INBOX", uid: 7702 - n * 13, direction: n % 2 === 0 ? "outgoing" : "incoming",
    why: missed ? (["not_in_ledger", "answers_logged", "no_text"] as const)[n % 3] ?? null : null, message: n === 0 ? null : 300 + n,
  }));
}

/** `missed`: three mails are; with `fix` they are put on their way. */
export function audit(address: string, days: number, missed: boolean, fix: boolean): AuditReport {
  const ignored = [
    { rule: "only_colleagues" as const, count: 402 }, { rule: "newsletter" as const, count: 231 }, { rule: "unknown_sender" as const, count: 187 },
    { rule: "never_folder" as const, count: 22 }, { rule: "auto_reply" as const, count: 9 },
  ];
  const count = { logged: 273, waiting: 2, asked: 4, unruled: 3, older: 0, missed: missed ? 3 : 0 };
  const all = ignored.reduce((sum, one) => sum + one.count, 0) + Object.values(count).reduce((sum, one) => sum + one, 0);
  return {
    mailbox: address, days, at: ago(0), messages: all, ...count, ignored,
    missed_by: missed ? [{ why: "not_in_ledger", count: 1 }, { why: "answers_logged", count: 1 }, { why: "no_text", count: 1 }] : [],
    missed_lines: lines(count.missed, true), samples: lines(3, false), fixed: fix ? count.missed : 0,
  };
}

const FIELDS: readonly (readonly [string, string, number])[] = [
  ["email", "hs_email_html", 2048], ["email", "hs_email_text", 812], ["email", "hs_email_subject", 31], ["email", "hs_email_headers", 418],
  ["email", "hs_timestamp", 24], ["email", "hs_email_direction", 5], ["email", "threadline_message_id", 64], ["file", "Offer-2026-0117.pdf", 214_802],
];

/** Rows go from 4,000 down to 1; one mail is eight of them. */
export function egress(scene: Scene, before: number | null, limit: number): EgressLine[] {
  const from = scene === "empty" ? 0 : Math.min(before ?? 4001, 4001) - 1;
  return Array.from({ length: Math.max(0, Math.min(limit, from)) }, (_, n): EgressLine => {
    const id = from - n;
    const mail = Math.floor((4000 - id) / 8);
    const [object, field, size] = FIELDS[(4000 - id) % 8] ?? ["email", "hs_email_text", 1];
    const next = random(mail + 5);
    const logged = mail % 9 !== 4;
    return {
      id, at: ago(4 * MINUTE + mail * 23 * MINUTE), sink: "hubspot", object, remote_id: String(901_000 - mail), field,
      bytes: object === "email" && size > 100 ? Math.floor(size * (0.5 + next())) : size,
      thread: logged ? mail + 1 : null, subject: logged ? (SUBJECTS[mail % SUBJECTS.length] ?? null) : null,
    };
  });
}

export function trash(scene: Scene): TrashLine[] {
  if (scene === "empty") return [];
  return [0, 1, 2, 3].map((n) => ({
    message: 8800 + n, account: ANN.address, deleted_at: ago((n + 1) * 3 * DAY), until: new Date(now() + (87 - n * 3) * DAY).toISOString(),
    in_crm: n === 2 ? "hubspot" : null, date: ago((n + 1) * 3 * DAY + 5 * HOUR), subject: SUBJECTS[n * 5 + 2] ?? "", from: ANN, to: [mailbox(person(n * 11 + 4))],
  }));
}

export function purge(dryRun: boolean, hold: boolean): PurgeReport {
  return { at: ago(0), dry_run: dryRun, held: hold ? "legal_hold" : null, texts: hold ? 0 : 214, headers: hold ? 0 : 214, trash: 0, metadata: hold ? 0 : 6 };
}

/** By the preset: a week after the CRM took it. `gone`: retention took its text. */
export function goes(stored: string | null, hold: boolean, gone: boolean): Goes {
  const begun = stored;
  const ends = begun === null ? null : new Date(Date.parse(begun) + 7 * DAY).toISOString();
  if (gone) return { clock: "noticed", begun, text: null, headers: null, text_gone: ends, headers_gone: null, hold };
  return { clock: begun === null ? null : "noticed", begun, text: ends, headers: ends, text_gone: null, headers_gone: null, hold };
}

export function fates(message: MessageView): FileFate[] {
  if (message.attachments.length === 0) return [];
  const logo: FileFate = { file: { name: "logo.png", media_type: "image/png", size: 6120 }, belongs: "logo", skipped: null, opens: true };
  return [...message.attachments.map((file): FileFate => ({ file, belongs: null, skipped: file.size > 50 * 1024 * 1024 ? "too_large" : null, opens: /\.(pdf|docx|xlsx|png|jpg)$/.test(file.name) })), logo];
}
