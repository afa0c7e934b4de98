// What the window and the program say to each other. Times are RFC 3339 in UTC, durations milliseconds, sizes bytes.

// ---- core
export type State = "connected" | "working" | "retrying" | "offline" | "needs_attention" | "paused";
export type Channel = "inbox" | "sent" | "smtp" | "crm";
export type Phase =
  | "keychain" | "dns" | "tcp" | "tls" | "greeting" | "auth" | "select" | "idle" | "fetch" | "append" | "push";
/** core::reason::Reason, by its codes: the generated file has the whole union. */
export type Reason = string;
export type Direction = "outgoing" | "incoming";
export type Outcome = "log" | "ignore" | "ask" | "hold";
/** core::rule::Rule, by its names: the generated file has the whole union. */
export type Rule = string;
export type LogMode = "known_contacts" | "everyone_outside" | "only_when_i_say";
export type CreateContacts = "never" | "when_i_write";
export type Health = {
  channel: Channel;
  state: State;
  phase: Phase | null;
  reason: Reason | null;
  since: string;
  evidence: string | null;
  next_try: string | null;
};
export type Mailbox = { name: string | null; address: string };
export type Rules = {
  version: number;
  mode: LogMode;
  create_contacts: CreateContacts;
  own: string[];
  colleagues: string[];
  never_addresses: string[];
  never_domains: string[];
  never_folders: string[];
};

// ---- errors: what is refused is shown by its code from the catalogue, else by `message`
export type AppError = { code: string; message: string; next: string | null };

// ---- the program
export type EngineState =
  | { state: "starting" }
  | { state: "running" }
  /** `threadline run`, or another user's program, has the data folder. */
  | { state: "held"; by: string }
  | { state: "waiting_for_keychain"; error: AppError }
  | { state: "stopped"; error: AppError };
export type Theme = "system" | "light" | "dark";
export type Language = "system" | "en" | "de";
export type AppSettings = {
  theme: Theme;
  language: Language;
  /** Start at login, without a window. */
  autostart: boolean;
  notifications: boolean;
  /** Minutes since midnight, local time; no notification between the two. */
  quiet_from: number | null;
  quiet_until: number | null;
  /** That closing the window keeps the tray was said. */
  tray_said: boolean;
};
export type App = {
  version: string;
  data_dir: string;
  engine: EngineState;
  /** No mailbox is set. */
  first_run: boolean;
  settings: AppSettings;
  /** The language in force. */
  locale: "en" | "de";
  /** What the system lacks: each is said where the person looks, with the next step. */
  missing: ("tray" | "notifications" | "keychain")[];
};
export type Route =
  | { to: "overview" }
  | { to: "threads"; thread: number | null }
  | { to: "activity" }
  | { to: "settings"; page: string | null }
  | { to: "diagnostics" }
  | { to: "setup" }
  | { to: "reconnect"; address: string };

// ---- overview
export type SetAside = { folder: string; uid: number; why: string };
export type MailboxStatus = {
  address: string;
  state: State;
  paused_until: string | null;
  channels: Health[];
  next_step: string | null;
  logged: number;
  asked: number;
  held: number;
  ignored: number;
  bodies_never_read: number;
  waiting: number;
  last_seen: string | null;
  set_aside: SetAside[];
};
export type CrmKind = "hubspot" | "webhook" | "folder" | "ledger";
export type CrmSettings =
  | { kind: "hubspot"; base_url?: string | null }
  | { kind: "webhook"; url: string }
  | { kind: "folder"; dir: string }
  | { kind: "ledger" };
export type CrmStatus = CrmSettings & {
  state: State;
  health: Health[];
  next_step: string | null;
  waiting: number;
  set_aside: number;
  done: number;
  contacts: number;
  contacts_complete: boolean;
};
export type Status = { running: string | null; mailboxes: MailboxStatus[]; crms: CrmStatus[] };
/** A time in which a channel was not connected. `of`: a mailbox's address or a CRM's kind. */
export type Outage = {
  of: string;
  channel: Channel;
  state: State;
  reason: Reason | null;
  since: string;
  until: string | null;
  evidence: string | null;
};
export type PauseFor = "hour" | "tomorrow";

// ---- set-up, check, reconnect
export type Encryption = "tls" | "starttls";
export type Endpoint = { host: string; port: number; encryption: Encryption };
export type MailboxDraft = {
  address: string;
  user: string;
  host: string;
  port: number;
  encryption: Encryption;
  smtp: Endpoint | null;
  /** A private authority, as PEM. */
  authority: string | null;
  /** SHA-256 of the one certificate to trust, in hexadecimal. */
  fingerprint: string | null;
};
export type DiscoverySource =
  | "provider_table" | "autoconfig" | "ispdb" | "srv" | "mx" | "autodiscover" | "probe" | "guess";
export type ProviderHint = "app_password" | "oauth_only" | "enable_imap" | "pop3_only";
export type Candidate = {
  imap: Endpoint;
  smtp: Endpoint | null;
  user: string;
  source: DiscoverySource;
  provider: string | null;
  hint: ProviderHint | null;
  /** The provider's own page about it. */
  help: string | null;
  /** False: it must be confirmed before a password goes there. */
  trusted: boolean;
};
export type Discovery = { address: string; candidates: Candidate[] };
export type CheckStepName =
  | "dns" | "tcp" | "tls" | "greeting" | "sign_in" | "capabilities" | "inbox" | "sent" | "smtp" | "crm";
export type CheckState = "running" | "ok" | "warning" | "failed" | "skipped";
export type CheckStep = {
  step: CheckStepName;
  state: CheckState;
  ms: number | null;
  /** What was found, or the server's own words: cleaned, never from before TLS. */
  words: string | null;
  reason: Reason | null;
};
export type Certificate = { subject: string; issuer: string; expires: string; fingerprint: string };
export type CheckReport = {
  steps: CheckStep[];
  failed: CheckStepName | null;
  /** Whether it is the mailbox that the ledger knows; `null` for a new one. */
  same_mailbox: boolean | null;
  /** What an untrusted server presented. */
  presented: Certificate | null;
};
/** What the wizard opens with. */
export type Broken = {
  draft: MailboxDraft;
  reason: Reason | null;
  since: string | null;
  evidence: string | null;
  failed: CheckStepName | null;
  /** Mails that wait for it. */
  waiting: number;
};
export type CatchUp = { address: string; missed: number; checked: number; logged: number; done: boolean };
export type Folder = { name: string; role: "inbox" | "sent" | "all" | "other" };
export type RuleCount = { rule: Rule; outcome: Outcome; count: number };
export type DryRunLine = {
  date: string;
  direction: Direction;
  subject: string;
  with: Mailbox[];
  outcome: Outcome;
  rule: Rule;
};
export type DryRun = { days: number; seen: number; log: number; ask: number; ignore: number; by_rule: RuleCount[]; lines: DryRunLine[] };
export type ScanProgress = { folder: string; seen: number; of: number };
export type Scanned = { seen: number; logged: number; asked: number };

// ---- threads
export type ThreadState = "awaiting_reply" | "replied" | "received" | "bounced" | "out_of_office";
export type Association = { address: string; name?: string | null; remote_id?: string | null; may_create: boolean };
export type CrmCount = { sink: string; state: string; messages: number };
export type ThreadLine = {
  id: number;
  account: string;
  key: string;
  subject: string;
  begun: string;
  last: string;
  messages: number;
  contacts: Association[];
  crm: CrmCount[];
  state: ThreadState;
  /** Since when it is so. */
  state_since: string;
  /** Of its newest message. */
  direction: Direction;
};
export type ThreadQuery = {
  /** Words in the subject, an address or a contact's name. */
  search: string | null;
  account: string | null;
  contact: string | null;
  state: ThreadState | null;
  direction: Direction | null;
  /** Only conversations that wait for a reply for so many days. */
  silent_days: number | null;
  offset: number;
  /** 1 to 500. */
  limit: number;
};
export type ThreadPage = { total: number; rows: ThreadLine[] };
export type Attachment = { name: string; media_type: string; size: number };
export type CrmState = {
  sink: string;
  /** waiting, leased, done, set_aside, abandoned */
  state: string;
  remote_id: string | null;
  link: string | null;
  how: string | null;
  stored_at: string | null;
  reason: string | null;
  words: string | null;
};
export type Decided = {
  message: number;
  account: string;
  decided_at: string;
  date: string;
  direction: Direction;
  outcome: Outcome;
  rule: Rule;
  why: string;
  folder: string | null;
  subject: string | null;
  from: Mailbox | null;
  to: Mailbox[];
  thread: number | null;
};
export type MessageView = Decided & {
  message_id: string | null;
  cc: Mailbox[];
  /** `null` while it is not fetched. */
  text: string | null;
  has_html: boolean;
  attachments: Attachment[];
  truncated: boolean;
  contacts: Association[];
  crm: CrmState[];
};
export type ThreadView = ThreadLine & { items: MessageView[] };
/** Cleaned HTML for a frame without scripts, network and same origin. */
export type MessageHtml = { html: string; blocked_pictures: number; cut: boolean };
/** What can be taken back, until then. */
export type Undo = { token: number; until: string };
/** `not_asked` is no mail but a note: the mailbox could not be asked, so only what the ledger knows is shown. */
export type TraceStage = "not_in_sent" | "not_seen" | "ignored" | "asked" | "held" | "fetching" | "waiting" | "in_crm" | "failed" | "not_asked";
/** One answer to "Where is my mail?". */
export type Trace = {
  message: number | null;
  thread: number | null;
  folder: string | null;
  subject: string;
  to: Mailbox[];
  sent_at: string | null;
  decided_at: string | null;
  stored_at: string | null;
  stage: TraceStage;
  rule: Rule | null;
  crm: CrmState[];
};

// ---- activity
export type ActivityKind = "decided" | "pushed" | "push_failed" | "set_aside" | "health";
export type Activity = {
  /** Counts up; the newest first in a list. */
  id: number;
  at: string;
  kind: ActivityKind;
  /** The mailbox, or the CRM's kind. */
  of: string;
  message: number | null;
  thread: number | null;
  direction: Direction | null;
  outcome: Outcome | null;
  rule: Rule | null;
  reason: Reason | null;
  state: State | null;
  folder: string | null;
  /** Only where it is logged. */
  subject: string | null;
  with: string | null;
  words: string | null;
};
export type FailedPush = {
  outbox: number;
  sink: string;
  message: number;
  thread: number | null;
  subject: string | null;
  reason: Reason | null;
  words: string | null;
  attempts: number;
  next_try: string | null;
};

// ---- settings, diagnostics
export type MailboxSettings = { draft: MailboxDraft; rules: Rules; paused_until: string | null };
export type CrmDraft = CrmSettings;
export type Portal = { id: string | null; name: string | null };
export type LogLine = { id: number; at: string; level: "error" | "warn" | "info" | "debug"; target: string; text: string };
export type BundleFile = { name: string; text: string };
export type ContactLine = { source: string; remote_id: string; name: string | null; addresses: string[] };

// ---- what happens: one event, `news`
export type News =
  | { kind: "app" }
  | { kind: "status" }
  | { kind: "threads" }
  | { kind: "asked" }
  | { kind: "activity"; entry: Activity }
  | { kind: "catch_up"; progress: CatchUp }
  | { kind: "navigate"; route: Route }
  /** A link in a mail was pressed: nothing is opened before the person has seen its host. */
  | { kind: "link"; url: string };
