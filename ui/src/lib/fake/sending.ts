/** Mails that go out, templates, the relay, and people whom the CRM does not know. */
import type { Api } from "../api";
import type { CopyWish, KeptTemplate, RelayStatus, SendLine, ShownMail, WrittenMail } from "../bindings";
import { ANN, mailbox, PEOPLE, person, SALES } from "./people";
import { ago, DAY, HOUR, MINUTE, now, wait } from "./time";
import type { World } from "./world";

type Sending = Pick<
  Api,
  | "findContacts" | "senderName" | "chooseFiles" | "showMail" | "sendMail" | "sends" | "undoSend" | "retrySend" | "confirmSent" | "templates" | "setTemplate"
  | "removeTemplate" | "copyWish" | "setCopyWish" | "relayStatus" | "setRelay" | "newRelayPassword" | "newRelayCertificate" | "saveRelayCertificate" | "testRelay"
  | "unknownPeople" | "answerPerson"
>;
type Tools = { later: <T>(make: () => T) => Promise<T>; refuse: (code: string, message: string, next?: string | null, values?: Record<string, string>) => never; turn: string | null };

function line(id: number, n: number, at: number, more: Partial<SendLine>): SendLine {
  const sent = ago(at);
  return {
    id, account: ANN.address, state: "sent", to: [person(n).address], subject: "Offer 2026-0117, revised", bytes: 18_402, created_at: ago(at + 10_000), due: sent,
    sent_at: sent, reason: null, words: null, refused: [], copy: "appended", copy_rule: "special_use", copy_folder: "Sent", copy_words: null, message: null,
    message_id: `${id}.threadline@northwind-lab.example`, ...more,
  };
}

const OFFER = { name: "Offer-2026-0117.pdf", media_type: "application/pdf", size: 184_320 };
const WAITS = { state: "waiting" as const, sent_at: null, copy: null, copy_rule: null, copy_folder: null };

function lines(w: World): SendLine[] {
  if (w.scene === "empty") return [];
  const hostile = w.scene === "hostile";
  return [
    line(9, 3, 0, { ...WAITS, created_at: ago(4000), due: new Date(now() + 6000).toISOString() }),
    line(8, 4, 0, { ...WAITS, subject: "Visit to your plant in May", created_at: ago(HOUR), due: new Date(now() + 20 * HOUR).toISOString() }),
    line(7, 5, 0, { ...WAITS, subject: "Delivery date for order 20418", created_at: ago(9 * MINUTE), due: new Date(now() + 2 * MINUTE).toISOString(), reason: "server_unavailable", words: "451 4.3.0 Temporary lookup failure" }),
    line(6, 6, 40 * MINUTE, { subject: "Samples for the trade fair", state: "unknown", sent_at: null, copy: null, copy_rule: null, copy_folder: null, reason: "connection_reset" }),
    line(5, 7, 2 * HOUR, {
      subject: "Price list 2026", to: [7, 8, 9, 10, 11].map((n) => person(n).address), refused: [[person(9).address, "550 5.1.1 User unknown"]], copy: "failed", copy_rule: "special_use",
      copy_words: "[OVERQUOTA] Quota exceeded",
    }),
    line(4, 8, 5 * HOUR, { subject: hostile ? "<b>very long</b> ".repeat(60) : "Contract, second draft", state: "refused", sent_at: null, copy: null, copy_rule: null, copy_folder: null, words: "552 5.3.4 Message size exceeds fixed maximum message size" }),
    line(3, 9, 26 * HOUR, { subject: "", copy: "filed", copy_rule: "provider", copy_folder: null }),
    line(2, 1, 2 * DAY, { account: SALES, subject: "Thank you for your visit", copy: "filed", copy_rule: "found" }),
    line(1, 2, 3 * DAY, { subject: "Spare parts", state: "cancelled", sent_at: null, copy: null, copy_rule: null, copy_folder: null }),
  ];
}

const TEMPLATES: KeptTemplate[] = [
  { name: "First offer", subject: "Offer for {{name}}", text: "Dear {{first_name}},\n\nthank you for your inquiry. Attached you find our offer.\n\nKind regards\n{{my_name}}", html: null },
  { name: "Order question", subject: "Your order {{order_no}}", text: "Dear {{first_name}},\n\na question about your order {{order_no}} of {{order_day}}.\n\nKind regards\n{{my_name}}", html: "<p>Dear {{first_name}},</p><p>a question about your order <b>{{order_no}}</b> of {{order_day}}.</p><p>Kind regards<br>{{my_name}}</p>" },
];

/** As the program fills a template: what is missing is named. */
function filled(mail: WrittenMail, name: string): { subject: string; text: string; html: string | null; gaps: string[] } {
  const whole = { subject: mail.subject, text: mail.text, html: mail.html, gaps: [] };
  if (mail.template === null) return whole;
  const first = [...mail.to, ...mail.cc, ...mail.bcc][0] ?? "";
  const address = (/<(.*)>/.exec(first)?.[1] ?? first).toLowerCase();
  const known = PEOPLE.find((one) => one.address === address)?.name ?? (first.includes("<") ? first.replace(/<.*$/, "").trim() : "");
  const [one = "", ...rest] = known.split(" ");
  const values: Record<string, string> = { email: address, name: known, first_name: one, last_name: rest.join(" "), my_name: name, my_email: mail.mailbox, ...Object.fromEntries(mail.values) };
  const gaps = new Set<string>();
  const put = (text: string): string =>
    text.replace(/\{\{\s*(\w+)\s*(?:\|([^}]*))?\}\}/g, (_, key: string, instead: string | undefined) => {
      const value = values[key] || instead;
      if (value === undefined) gaps.add(key);
      return value ?? "";
    });
  return { subject: put(mail.subject), text: put(mail.text), html: mail.html === null ? null : put(mail.html), gaps: [...gaps].sort() };
}

export function sending(w: World, { later, refuse, turn }: Tools): Sending {
  let all = lines(w);
  let templates = w.scene === "empty" ? [] : [...TEMPLATES];
  const wishes = new Map<string, CopyWish>();
  const answered = new Set<string>();
  let files = 0;
  const on = turn?.startsWith("relay") === true;
  let relay: RelayStatus = {
    settings: { on, tls_port: 1465, starttls_port: 1587 },
    state: turn === "relay_failed" ? { state: "failed", since: ago(9 * MINUTE), code: "relay_port", port: 1465, words: "The relay cannot listen at 127.0.0.1:1465: Address already in use (os error 98)." } : on ? { state: "listening", since: ago(DAY) } : null,
    answers: on && turn !== "relay_failed",
    fingerprint: on ? "5A:1C:0E:77:93:B2:4D:61:EF:08:2A:C4:9B:35:D0:1E:66:7F:A8:13:52:CD:90:4B:E7:3C:28:F1:0D:86:B9:54" : null,
    certificate_ends: on ? "2036-03-09" : null,
    mailboxes: w.boxes.map((one, n) => ({
      address: one.draft.address, can_send: one.draft.smtp !== null, has_password: on && n === 0, accepted: on && n === 0 ? 148 : 0, unknown: 0, unseen: turn === "relay_unseen" && n === 0 ? 3 : 0,
    })),
  };
  const find = (id: number): SendLine => all.find((one) => one.id === id) ?? refuse("no_send", `There is no mail ${id}.`);
  const set = (id: number, more: Partial<SendLine>): void => {
    all = all.map((one) => (one.id === id ? { ...one, ...more } : one));
    w.tell({ kind: "sends" });
  };
  const goes = async (id: number, ms: number): Promise<void> => {
    await wait(ms);
    if (find(id).state !== "waiting") return;
    set(id, { state: "sent", sent_at: ago(0), copy: "appended", copy_rule: "special_use", copy_folder: "Sent" });
  };
  const tooLarge = (): never => refuse("mail_too_large", "The mail is too large.", null, { size: "26.2 MB", most: "20.9 MB", server: "smtp.northwind-lab.example:465" });
  return {
    findContacts: (words, limit) => {
      const wanted = words.toLowerCase();
      return later(() => PEOPLE.filter((one) => `${one.name ?? ""} ${one.address}`.toLowerCase().includes(wanted)).slice(0, limit).map(mailbox));
    },
    senderName: () => later(() => ANN.name ?? null),
    chooseFiles: () => later(() => [{ id: (files += 1), name: OFFER.name, bytes: OFFER.size }]),
    showMail: (mail) =>
      later((): ShownMail => {
        if (turn === "too_large") tooLarge();
        const { gaps, subject, text, html } = filled(mail, mail.from_name ?? "");
        if (gaps.length > 0) return { gaps, subject: "", recipients: [], text: "", html: null, attachments: [], bytes: 0 };
        return { gaps, subject, recipients: [...mail.to], text, html: html === null ? null : { html: `<!doctype html><body style="font:14px sans-serif">${html}`, blocked_pictures: 0, cut: false }, attachments: mail.files.map(() => ({ ...OFFER })), bytes: 2048 + 250_000 * mail.files.length };
      }),
    sendMail: (mail) =>
      later(() => {
        if (turn === "too_large") tooLarge();
        const id = Math.max(0, ...all.map((one) => one.id)) + 1;
        const to = [...mail.to, ...mail.cc, ...mail.bcc].map((one) => /<(.*)>/.exec(one)?.[1] ?? one);
        const at = mail.at ?? new Date(now() + 10_000).toISOString();
        all = [line(id, 0, 0, { ...WAITS, account: mail.mailbox, to, subject: filled(mail, mail.from_name ?? "").subject, created_at: ago(0), due: at }), ...all];
        w.tell({ kind: "sends" });
        if (mail.at === null) void goes(id, 10_000);
        return find(id);
      }),
    sends: (limit) => later(() => all.slice(0, limit)),
    undoSend: (id) => later(() => (find(id).state === "waiting" ? set(id, { state: "cancelled", words: null }) : refuse("too_late", "The mail cannot be taken back: it is sent."))),
    retrySend: (id) => later(() => set(id, find(id).state === "sent" ? { copy: "appended", copy_words: null } : { state: "waiting", words: null, created_at: ago(0), due: ago(0) })),
    confirmSent: (id) => later(() => set(id, { state: "sent", sent_at: ago(0), words: null, copy: "filed", copy_rule: "found", copy_folder: "Sent" })),
    templates: () => later(() => templates),
    setTemplate: (template) =>
      later(() => {
        templates = [...templates.filter((one) => one.name !== template.name), template].sort((a, b) => a.name.localeCompare(b.name));
      }),
    removeTemplate: (name) =>
      later(() => {
        templates = templates.filter((one) => one.name !== name);
      }),
    copyWish: (address) => later(() => wishes.get(address) ?? "auto"),
    setCopyWish: (address, wish) =>
      later(() => {
        wishes.set(address, wish);
        return wish;
      }),
    relayStatus: () => later(() => relay),
    setRelay: (wanted, tls, starttls) =>
      later(() => {
        const settings = { on: wanted, tls_port: tls ?? relay.settings.tls_port, starttls_port: starttls ?? relay.settings.starttls_port };
        const fingerprint = relay.fingerprint ?? "5A:1C:0E:77:93:B2:4D:61:EF:08:2A:C4:9B:35:D0:1E:66:7F:A8:13:52:CD:90:4B:E7:3C:28:F1:0D:86:B9:54";
        relay = { ...relay, settings, fingerprint, certificate_ends: "2036-03-09", answers: wanted, state: wanted ? { state: "listening", since: ago(0) } : null };
        w.tell({ kind: "sends" });
        return relay;
      }),
    newRelayPassword: (address) =>
      later(() => {
        relay = { ...relay, mailboxes: relay.mailboxes.map((one) => (one.address === address ? { ...one, has_password: true } : one)) };
        return "made-up-words-of-the-relay-7431";
      }),
    newRelayCertificate: () =>
      later(() => {
        relay = { ...relay, fingerprint: (relay.fingerprint ?? "").split(":").reverse().join(":") };
        return relay;
      }),
    saveRelayCertificate: () => later(() => "/home/ann/Downloads/threadline.crt"),
    testRelay: (address) =>
      wait(w.still ? 0 : 900).then(() => {
        if (relay.mailboxes.find((one) => one.address === address)?.has_password !== true) refuse("no_relay_password", "There is no password at the relay yet.");
        const good = turn !== "relay_refused";
        return [
          { step: "tls" as const, good: true, ms: 21, reason: null, words: "127.0.0.1:1465" },
          { step: "starttls" as const, good: true, ms: 18, reason: null, words: "127.0.0.1:1587" },
          { step: "provider" as const, good, ms: 240, reason: good ? null : ("smtp_auth_disabled" as const), words: good ? "250 2.1.0 Ok" : "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant." },
        ];
      }),
    unknownPeople: () =>
      later(() =>
        w.scene === "empty" ? [] : ["Jana Pohl", null, "Tom Berg"].map((name, n) => ({
          account: n === 2 ? SALES : ANN.address, address: ["jana.pohl@halden.example", "info@kestrel-foods.example", "t.berg@ostsee-werft.example"][n] ?? "", name, mails: n + 1, last: ago((n + 2) * HOUR),
        })).filter((one) => !answered.has(one.address)),
      ),
    answerPerson: (_account, address) =>
      later(() => {
        answered.add(address);
        w.tell({ kind: "asked" });
        return w.canUndo(() => {
          answered.delete(address);
          w.tell({ kind: "asked" });
        });
      }),
  };
}
