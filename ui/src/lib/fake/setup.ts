/** Settings found from an address, folders, the dry run. */
import type { AskedSource, Candidate, Discovery, DryRun, DryRunLine, Endpoint, Folder, MailboxDraft, Pop3Found, Rule, Rules } from "../bindings";
import { mailbox, person } from "./people";
import { pick, random } from "./random";
import { SUBJECTS } from "./texts";
import { ago, HOUR } from "./time";

export function draftFor(address: string): MailboxDraft {
  const domain = address.split("@")[1] ?? "northwind-lab.example";
  return {
    address, user: address, host: `imap.${domain}`, port: 993, encryption: "tls", auth: { kind: "password" },
    smtp: { host: `smtp.${domain}`, port: 465, encryption: "tls" }, authority: null, fingerprint: null, smtp_fingerprint: null,
  };
}

/** The IMAP server beside a POP3 one: none where the host's name holds `alone`. */
export function beside(host: string, port: number): Pop3Found {
  const sign = port === 110 || port === 995 ? "port" : host.startsWith("pop") ? "host" : "greeting";
  const imap: Endpoint | null = host.includes("alone") ? null : { host: host.replace(/^pop3?\./, "imap."), port: 993, encryption: "tls" };
  return { sign, host, port, imap, trusted: imap !== null };
}

/** What discovery says of an address. */
export function discovery(address: string): Discovery {
  const domain = address.split("@")[1] ?? "";
  const found = candidates(address);
  const pop3: Pop3Found | null = domain.includes("pop3") ? { ...beside(`pop.${domain}`, 995), sign: "answer" } : null;
  const asked: AskedSource[] = found[0]?.source === "provider_table" ? [{ source: "provider_table", outcome: "found", ms: 0 }] : [{ source: "provider_table", outcome: "nothing", ms: 0 }, { source: "srv", outcome: "nothing", ms: 38 }];
  return { address, candidates: found, pop3, asked };
}

/**
 * `gmail.`, `outlook.` in the domain: the provider's table; `pop3`: only POP3; `unknown`: nothing is found; `guess`: an
 * answer that is not trusted; else the provider's table.
 */
function candidates(address: string): Candidate[] {
  const draft = draftFor(address);
  const domain = address.split("@")[1] ?? "";
  const one: Candidate = {
    imap: { host: draft.host, port: draft.port, encryption: draft.encryption }, smtp: draft.smtp, user: address,
    source: "provider_table", provider: null, hint: null, help: null, trusted: true, doubts: [],
  };
  if (domain.includes("unknown") || domain.includes("pop3")) return [];
  if (domain.includes("gmail")) {
    return [{ ...one, imap: { ...one.imap, host: "imap.gmail.com" }, smtp: { host: "smtp.gmail.com", port: 465, encryption: "tls" }, source: "provider_table", provider: "Gmail", hint: "app_password", help: "https://support.google.com/accounts/answer/185833" }];
  }
  if (domain.includes("outlook")) {
    return [{ ...one, imap: { ...one.imap, host: "outlook.office365.com" }, smtp: { host: "smtp.office365.com", port: 587, encryption: "starttls" }, source: "provider_table", provider: "Microsoft 365", hint: "oauth_only", help: null }];
  }
  if (domain.includes("guess")) {
    return [{ ...one, source: "autoconfig", trusted: false, doubts: ["plain_http", "other_domain"] }, { ...one, imap: { host: `mail.${domain}`, port: 143, encryption: "starttls" }, source: "guess", trusted: false, doubts: ["guessed"] }];
  }
  return [one];
}

export const FOLDERS: readonly Folder[] = [
  { name: "INBOX", role: "inbox" }, { name: "Sent", role: "sent" }, { name: "Gesendete Objekte", role: "sent" }, { name: "Drafts", role: "other" },
  { name: "Archive/2025", role: "other" }, { name: "Archive/2026", role: "other" }, { name: "Customers/Halden Optics", role: "other" },
  { name: "Private", role: "other" }, { name: "Threadline/Log", role: "other" },
];

export function rules(address: string): Rules {
  return {
    version: 3, mode: "known_contacts", create_contacts: "never", own: [address, "ann@northwind-lab.example"],
    colleagues: [address.split("@")[1] ?? ""], never_addresses: ["dr.weiss@praxis-weiss.example"], never_domains: ["familie-keller.example"],
    never_folders: ["Private"], never_words: [], participants: "any", logging_addresses: [], learnt: [], not_own: [], other_addresses: [], private_times: [],
  };
}

export function dryRun(days: number): DryRun {
  const next = random(99);
  const kinds: readonly { rule: Rule; outcome: "log" | "ask" | "ignore"; count: number }[] = [
    { rule: "sent_to_contact", outcome: "log", count: 118 }, { rule: "reply_in_logged_thread", outcome: "log", count: 94 },
    { rule: "sent_in_logged_thread", outcome: "log", count: 61 }, { rule: "unknown_recipient", outcome: "ask", count: 17 },
    { rule: "new_from_contact", outcome: "ask", count: 6 }, { rule: "only_colleagues", outcome: "ignore", count: 402 },
    { rule: "newsletter", outcome: "ignore", count: 231 }, { rule: "unknown_sender", outcome: "ignore", count: 187 }, { rule: "never_folder", outcome: "ignore", count: 22 },
  ];
  const sum = (outcome: string) => kinds.filter((kind) => kind.outcome === outcome).reduce((all, kind) => all + kind.count, 0);
  const lines: DryRunLine[] = Array.from({ length: 40 }, (_, n) => {
    const kind = pick(next, kinds.filter((one) => one.outcome !== "ignore"));
    return {
      date: ago(n * 17 * HOUR), direction: kind.rule === "reply_in_logged_thread" || kind.rule === "new_from_contact" ? "incoming" : "outgoing",
      subject: pick(next, SUBJECTS), with: [mailbox(person(n * 7))], outcome: kind.outcome, rule: kind.rule,
    };
  });
  return { days, seen: sum("log") + sum("ask") + sum("ignore"), log: sum("log"), ask: sum("ask"), ignore: sum("ignore"), by_rule: kinds.map((kind) => ({ ...kind })), lines };
}
