/** Up to 100,000 conversations, each made when it is looked at. Row 0 is the newest. */
import type {
  Association, CrmState, Direction, MessageView, Rule, ThreadLine, ThreadPage, ThreadQuery, ThreadState, ThreadView,
} from "../bindings";
import { ANN, mailbox, person, SALES } from "./people";
import { pick, random } from "./random";
import { goes } from "./proof";
import { RECEIVED, SENT, SUBJECTS } from "./texts";
import { DAY, HOUR, MINUTE, now } from "./time";

const STATES: readonly ThreadState[] = [
  "awaiting_reply", "awaiting_reply", "replied", "replied", "replied", "received", "received", "awaiting_reply", "out_of_office", "bounced",
];

export type Threads = {
  total: number;
  sink: string;
  page(query: ThreadQuery): ThreadPage;
  view(id: number): ThreadView;
  hide(id: number): void;
  show(id: number): void;
  showAll(): void;
  /** Under legal hold. */
  held: Set<number>;
};

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** How long ago conversation `n` had its last message: close at first, then years. */
function age(n: number): number {
  return 3 * MINUTE + n * 23 * MINUTE + (n % 7) * 3 * MINUTE + Math.floor(n / 40) * HOUR;
}

export function threads(total: number, sink: string, odd: readonly ThreadLine[] = []): Threads {
  const made = new Map<number, ThreadLine>();
  const hidden = new Set<number>();
  const held = new Set<number>();

  function line(n: number): ThreadLine {
    const special = odd[n];
    if (special !== undefined) return special;
    let one = made.get(n);
    if (one !== undefined) return one;
    const next = random(n + 1);
    const contact = person(Math.floor(next() * 180));
    const state = pick(next, STATES);
    const last = now() - age(n);
    const messages = state === "awaiting_reply" && next() < 0.4 ? 1 : 1 + Math.floor(next() * next() * 9) + (state === "replied" ? 1 : 0);
    const contacts: Association[] = next() < 0.15 ? [contact, person(Math.floor(next() * 180))] : [contact];
    const waiting = n < 2 ? 1 : 0;
    one = {
      id: n + 1,
      account: next() < 0.85 ? ANN.address : SALES,
      key: (n * 2654435761 % 4294967296).toString(16).padStart(8, "0").repeat(8),
      subject: pick(next, SUBJECTS),
      begun: iso(last - Math.floor(next() * 9 * DAY) - messages * HOUR),
      last: iso(last),
      messages,
      contacts,
      crm: [
        ...(messages > waiting ? [{ sink, state: "done", messages: messages - waiting }] : []),
        ...(waiting ? [{ sink, state: "waiting", messages: 1 }] : []),
      ],
      state,
      state_since: iso(last),
      direction: state === "awaiting_reply" ? "outgoing" : "incoming",
    };
    made.set(n, one);
    return one;
  }

  function fits(one: ThreadLine, query: ThreadQuery, words: readonly string[]): boolean {
    if (hidden.has(one.id)) return false;
    if (query.account !== null && one.account !== query.account) return false;
    if (query.state !== null && one.state !== query.state) return false;
    if (query.direction !== null && one.direction !== query.direction) return false;
    if (query.contact !== null && !one.contacts.some((who) => who.address === query.contact)) return false;
    if (query.silent_days !== null) {
      if (one.state !== "awaiting_reply" || now() - new Date(one.state_since).getTime() < query.silent_days * DAY) return false;
    }
    if (words.length === 0) return true;
    const text = [one.subject, ...one.contacts.flatMap((who) => [who.name ?? "", who.address])].join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  }

  return {
    total,
    sink,
    hide: (id) => void hidden.add(id),
    show: (id) => void hidden.delete(id),
    showAll: () => hidden.clear(),
    held,
    page(query) {
      const words = (query.search ?? "").toLowerCase().split(/\s+/).filter(Boolean);
      const plain =
        words.length === 0 && hidden.size === 0 &&
        [query.account, query.contact, query.state, query.direction, query.silent_days].every((one) => one === null);
      if (plain) {
        const count = Math.max(0, Math.min(query.limit, total - query.offset));
        return { total, rows: Array.from({ length: count }, (_, at) => line(query.offset + at)) };
      }
      const rows: ThreadLine[] = [];
      let found = 0;
      for (let n = 0; n < total; n += 1) {
        const one = line(n);
        if (!fits(one, query, words)) continue;
        if (found >= query.offset && rows.length < query.limit) rows.push(one);
        found += 1;
      }
      return { total: found, rows };
    },
    view(id) {
      const one = line(id - 1);
      return { ...one, items: items(one, held.has(id)) };
    },
  };
}

function items(one: ThreadLine, held: boolean): MessageView[] {
  const begun = new Date(one.begun).getTime();
  const step = one.messages > 1 ? (new Date(one.last).getTime() - begun) / (one.messages - 1) : 0;
  return Array.from({ length: one.messages }, (_, at) => {
    const newest = at === one.messages - 1;
    const direction: Direction = newest ? one.direction : at % 2 === 0 ? "outgoing" : "incoming";
    return message(one, at, direction, newest ? one.last : iso(begun + at * step), held);
  });
}

function message(one: ThreadLine, at: number, direction: Direction, date: string, held: boolean): MessageView {
  const next = random(one.id * 31 + at);
  const contact = one.contacts[0] ?? person(0);
  const [first = "", last = ""] = (contact.name ?? contact.address).split(" ");
  const out = direction === "outgoing";
  const rule: Rule = out ? (at === 0 ? "sent_to_contact" : "sent_in_logged_thread") : "reply_in_logged_thread";
  const waiting = one.crm.some((crm) => crm.state === "waiting") && at === one.messages - 1;
  const stored = new Date(new Date(date).getTime() + 4200).toISOString();
  const sink = one.crm[0]?.sink ?? "folder";
  const weighs = /^(A newsletter of 5 MB|10,000 elements)/.test(one.subject);
  // What is older than the clock allows has gone from this computer.
  const gone = now() - Date.parse(stored) > 7 * DAY;
  const crm: CrmState = {
    sink,
    state: waiting ? "waiting" : "done",
    remote_id: waiting ? null : String(900_000 + one.id * 10 + at),
    link: waiting || sink !== "hubspot" ? null : `https://crm.example/contacts/${contact.remote_id ?? "1"}/emails/${900_000 + one.id * 10 + at}`,
    how: waiting ? null : "created",
    stored_at: waiting ? null : stored,
    reason: null,
    words: null,
  };
  return {
    message: one.id * 100 + at,
    account: one.account,
    decided_at: new Date(new Date(date).getTime() + 2100).toISOString(),
    date,
    direction,
    outcome: "log",
    rule,
    why: "",
    folder: out ? "Sent" : "INBOX",
    subject: at === 0 ? one.subject : `Re: ${one.subject}`,
    from: out ? { ...ANN, address: one.account } : mailbox(contact),
    to: out ? one.contacts.map(mailbox) : [{ ...ANN, address: one.account }],
    thread: one.id,
    message_id: `<${one.id}.${at}.${one.key.slice(0, 8)}@${out ? "northwind-lab.example" : contact.address.split("@")[1]}>`,
    cc: next() < 0.15 ? [{ name: "Jana Pohl", address: "jana.pohl@northwind-lab.example" }] : [],
    text: gone ? null : pick(next, out ? SENT : RECEIVED).replaceAll("{first}", first).replaceAll("{last}", last),
    has_html: (weighs || next() < 0.7) && !gone,
    attachments: !gone && next() < 0.35 ? [{ name: out ? "Offer-2026-0117.pdf" : "Comments section 5.docx", media_type: out ? "application/pdf" : "application/vnd.openxmlformats-officedocument.wordprocessingml.document", size: Math.floor(40_000 + next() * 900_000) }] : [],
    truncated: false,
    goes: goes(waiting ? null : stored, held, gone),
    contacts: one.contacts,
    crm: [crm],
  };
}
