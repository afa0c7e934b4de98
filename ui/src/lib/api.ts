/** The one door between the screens and the program: `real.ts` opens it to Tauri, `fake/` to a made-up engine. */
import type {
  Activity, Apart, App, AppError, AppSettings, AuditReport, Broken, BundleFile, CheckReport, CheckStep, ChosenFile, ContactLine, CopyWish,
  CrmDraft, CrmKind, CrmText, Decided, Discovery, DryRun, EgressLine, Explained, FailedPush, FileFate, Folder, FolderUse, Forgotten,
  KeptTemplate, Limits, LogLine, LogMode, Mailbox, MailboxDraft, MailboxSettings, MessageHtml, MissingAnswer, NetworkSettings, News,
  NewVersion, NightlyAudit, OauthProvider, Outage, Past, PauseFor, PersonAnswer, Pop3Found, Portal, Preview, ProxyDraft, PurgeReport,
  ReadAgain, RelayStatus, Retention, Rules, Scanned, ScanProgress, SendLine, ShownMail, Status, TestStep, ThreadPage, ThreadQuery,
  ThreadView, Trace, TrashLine, Undo, UnknownPerson, Which, WrittenMail,
} from "./bindings";

/** Every call rejects with an `AppError` where it is refused. */
export interface Api {
  // the program
  app(): Promise<App>;
  setAppSettings(settings: AppSettings): Promise<App>;
  /** Tries again to open the data folder: after a keychain was unlocked, or another program has ended. */
  restartEngine(): Promise<App>;
  /** Ends the program: without a tray there is no other place to. */
  quit(): Promise<void>;
  onNews(hear: (news: News) => void): Promise<() => void>;

  // overview
  status(): Promise<Status>;
  /** The disconnects of the last days, the oldest first. */
  outages(days: number): Promise<Outage[]>;
  /** `null` takes the pause back; without an address every mailbox is meant. */
  pause(address: string | null, span: PauseFor | null): Promise<Status>;
  retryNow(address: string): Promise<Status>;
  forgetSetAside(address: string): Promise<Status>;
  retrySetAside(address: string): Promise<Status>;

  // set-up and reconnect
  discover(address: string): Promise<Discovery>;
  /** The IMAP server beside a POP3 one. */
  imapBeside(host: string, port: number): Promise<Pop3Found>;
  /** Without a password the one in the keychain is used. */
  check(draft: MailboxDraft, password: string | null, onStep: (step: CheckStep) => void): Promise<CheckReport>;
  /** Opens the provider's page in the browser, tells its address, and waits until the person has signed in there. */
  signIn(address: string, provider: OauthProvider, onPage: (page: string) => void): Promise<void>;
  cancelSignIn(): Promise<void>;
  /** Without a password somebody must have signed in with the browser. */
  addMailbox(draft: MailboxDraft, password: string | null, mode: LogMode): Promise<Status>;
  removeMailbox(address: string): Promise<Status>;
  broken(address: string): Promise<Broken>;
  /**
   * Stores draft and password, connects again; news of the kind `catch_up` follow. `takesPlace`: another mailbox than
   * before is meant to take its place.
   */
  reconnect(draft: MailboxDraft, password: string | null, takesPlace: boolean): Promise<Status>;
  folders(address: string): Promise<Folder[]>;
  dryRun(address: string, days: number, onProgress: (at: ScanProgress) => void): Promise<DryRun>;
  readHistory(address: string, days: number, onProgress: (at: ScanProgress) => void): Promise<Scanned>;

  // CRM
  tryCrm(crm: CrmDraft, secret: string | null): Promise<Portal | null>;
  setCrm(crm: CrmDraft, secret: string | null): Promise<Status>;
  removeCrm(kind: CrmKind): Promise<Status>;
  /** The addresses at which a CRM logs by itself what is sent there. */
  crmAddresses(kind: CrmKind): Promise<string[]>;
  setCrmAddresses(kind: CrmKind, addresses: string[]): Promise<string[]>;
  /** How much of a mail's text goes to the CRM. */
  crmText(): Promise<CrmText>;
  setCrmText(wanted: CrmText): Promise<CrmText>;
  contacts(limit: number): Promise<ContactLine[]>;
  /** Asks for a CSV file; `null` where none was chosen. */
  importContacts(): Promise<{ read: number; skipped: number } | null>;

  // threads
  threads(query: ThreadQuery): Promise<ThreadPage>;
  thread(id: number): Promise<ThreadView>;
  messageHtml(message: number): Promise<MessageHtml>;
  /** Keeps an attachment as a file that the person names; gives its path, or `null`. */
  saveAttachment(message: number, index: number): Promise<string | null>;
  /** Opens an attachment with the system's own program; refused for what could run. */
  openAttachment(message: number, index: number): Promise<unknown>;
  /** What becomes of each file of a message, those that belong to its text among them. */
  fileFates(message: number): Promise<FileFate[]>;
  /** A text that retention took, read from the mailbox to be shown. It is not stored. */
  readAgain(message: number): Promise<ReadAgain>;
  /** Makes a conversation of its own of a message and of all that answers it; gives its number. */
  splitThread(message: number): Promise<number>;
  /** Puts all messages of a conversation into another one of the same mailbox. */
  mergeThreads(from: number, into: number): Promise<unknown>;
  /** Takes the last of these two changes back. */
  undoThreads(): Promise<unknown>;
  /** From which conversation this one stands apart, and why; `null` where it does not. */
  threadApart(id: number): Promise<Apart | null>;
  holdThread(id: number, hold: boolean): Promise<unknown>;
  unlogThread(id: number): Promise<Undo>;
  unlogMessage(message: number): Promise<Undo>;
  /** An address, or a domain behind `@`. */
  neverLog(account: string, who: string): Promise<Undo>;
  /** What was logged with somebody, or with a domain behind `@`, and what the CRMs have of it. */
  pastOf(account: string, who: string): Promise<Past>;
  /** Takes it out of the log; with `inCrm` out of the CRM too, where Threadline made the record and can remove it. */
  forgetLogged(account: string, who: string, inCrm: boolean): Promise<Forgotten>;
  undo(token: number): Promise<void>;
  asked(): Promise<Decided[]>;
  answer(messages: number[], answer: "log" | "ignore" | "never"): Promise<Undo>;
  whereIsMyMail(account: string, words: string): Promise<Trace[]>;
  /** Logs a mail that a rule kept out. A never-log rule refuses it with `never_log`, unless it does not count for this one. */
  logByHand(account: string, which: Which, despite: boolean): Promise<Undo>;

  // mails that are sent from here
  /** Contacts whose name or address has these words in it. */
  findContacts(words: string, limit: number): Promise<Mailbox[]>;
  /** The name that a mailbox's mails were sent under last. */
  senderName(mailbox: string): Promise<string | null>;
  /** Asks for files; empty where none was chosen. */
  chooseFiles(): Promise<ChosenFile[]>;
  /** The mail as it would go. Variables of its template that are missing are named. */
  showMail(mail: WrittenMail): Promise<ShownMail>;
  sendMail(mail: WrittenMail): Promise<SendLine>;
  /** The newest first. */
  sends(limit: number): Promise<SendLine[]>;
  undoSend(id: number): Promise<unknown>;
  /** Sends it again; of one that was sent, files the copy again. */
  retrySend(id: number): Promise<unknown>;
  /** The person knows that it was sent. */
  confirmSent(id: number): Promise<unknown>;
  templates(): Promise<KeptTemplate[]>;
  setTemplate(template: KeptTemplate): Promise<unknown>;
  removeTemplate(name: string): Promise<unknown>;
  copyWish(mailbox: string): Promise<CopyWish>;
  setCopyWish(mailbox: string, wish: CopyWish): Promise<CopyWish>;

  // the relay
  relayStatus(): Promise<RelayStatus>;
  /** A port that another program has is changed for the next free one. */
  setRelay(on: boolean, tlsPort: number | null, starttlsPort: number | null): Promise<RelayStatus>;
  /** A new one, given this once; the old one counts no more. */
  newRelayPassword(mailbox: string): Promise<string>;
  newRelayCertificate(): Promise<RelayStatus>;
  /** Keeps it as a file that the person names; gives its path, or `null`. */
  saveRelayCertificate(): Promise<string | null>;
  testRelay(mailbox: string): Promise<TestStep[]>;

  // people whom the CRM does not know
  unknownPeople(): Promise<UnknownPerson[]>;
  answerPerson(mailbox: string, person: string, answer: PersonAnswer): Promise<Undo>;

  // activity
  activity(before: number | null, limit: number): Promise<Activity[]>;
  failedPushes(): Promise<FailedPush[]>;
  /** All that a CRM refused, or one. */
  retryPush(sink: string, outbox: number | null): Promise<number>;
  /** What becomes of a mail that the CRM should have logged by itself and did not. */
  answerMissing(outbox: number, answer: MissingAnswer): Promise<unknown>;

  // proof
  /** Compares the last days of a mailbox with the ledger; with `fix`, what is missed is put on its way. */
  audit(address: string, days: number, fix: boolean, onProgress: (at: ScanProgress) => void): Promise<AuditReport>;
  /** The last one of each mailbox, without its lines. */
  lastAudits(): Promise<AuditReport[]>;
  nightlyAudit(): Promise<NightlyAudit>;
  setNightlyAudit(wanted: NightlyAudit): Promise<NightlyAudit>;
  /** What left this computer, the newest first; the next page begins before the last row's id. */
  egress(before: number | null, limit: number): Promise<EgressLine[]>;
  /** What was taken out of the log, the newest first. */
  trash(): Promise<TrashLine[]>;
  restore(message: number): Promise<unknown>;

  // settings
  mailboxSettings(): Promise<MailboxSettings[]>;
  setRules(address: string, rules: Rules): Promise<MailboxSettings[]>;
  /** What would become of a new mail to somebody, and of one from them. */
  explainRules(address: string, who: string): Promise<Explained>;
  folderUses(address: string): Promise<FolderUse[]>;
  /** Makes the folder whose mails are logged; gives its name. */
  makeLogFolder(address: string): Promise<string>;
  /** Whether `$CrmLogged` is written on what the CRM has. */
  writesBack(): Promise<boolean>;
  setWritesBack(wanted: boolean): Promise<boolean>;
  /** From now on until this time nothing that is sent is logged; `null` ends it now. */
  setPrivate(until: string | null): Promise<MailboxSettings[]>;
  retention(): Promise<Retention>;
  setRetention(wanted: Retention): Promise<unknown>;
  /** Takes what is due; `dryRun`: says what would go. */
  purge(dryRun: boolean): Promise<PurgeReport>;
  attachmentLimits(): Promise<Limits>;
  setAttachmentLimits(wanted: Limits): Promise<unknown>;
  /** Asks for a folder; gives its path, or `null` where none was chosen. */
  exportAll(): Promise<string | null>;
  openDataDir(): Promise<void>;
  /** Ends the engine, and takes ledger, secrets and settings away. The CRM keeps what it has. */
  deleteEverything(): Promise<App>;

  // the way out
  network(): Promise<NetworkSettings>;
  /** Without a password the one in the keychain stays, where user and proxy are the same. */
  setProxy(proxy: ProxyDraft, password: string | null): Promise<NetworkSettings>;
  setIspdb(url: string | null): Promise<NetworkSettings>;
  setOauthApp(provider: OauthProvider, clientId: string, secret: string | null): Promise<NetworkSettings>;
  removeOauthApp(provider: OauthProvider): Promise<NetworkSettings>;

  // what the IT department sets
  /** Asks for a file; false where none was chosen. */
  openSetupFile(): Promise<boolean>;
  /** What the set-up that was opened would do. */
  offeredSetup(): Promise<Preview | null>;
  applySetup(secret: string | null): Promise<Status>;
  declineSetup(): Promise<void>;

  // new versions
  checkUpdate(): Promise<NewVersion | null>;
  /** Fetches what was found; refused where the publisher has not signed it. */
  downloadUpdate(): Promise<NewVersion>;
  installUpdate(): Promise<void>;

  // diagnostics
  logs(after: number | null): Promise<LogLine[]>;
  bundle(): Promise<BundleFile[]>;
  saveBundle(): Promise<string | null>;
  copyDiagnostics(): Promise<void>;

  // the desktop
  /** http, https and mailto only, by the system's own program. */
  openLink(url: string): Promise<void>;
}

export function isAppError(error: unknown): error is AppError {
  return typeof error === "object" && error !== null && "code" in error && "message" in error;
}
