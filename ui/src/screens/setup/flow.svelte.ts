/** The first run, step by step: what was entered stays when the person goes back. */
import type { CrmKind, CrmSettings, Discovery, LogMode, MailboxDraft, News, Pop3Found, Portal, Status } from "../../lib/bindings";
import { BrowserSignIn } from "../../lib/connect/browser-sign-in.svelte";
import { CheckRun } from "../../lib/connect/check-run.svelte";
import { crmDraftOf, crmFormFor, crmProblems, isSet, type CrmForm, type CrmProblems } from "../../lib/connect/crm-form";
import { draftOf, emptyForm, isAddress, problems, withCandidate, withImap, withTrust, type Form, type Problems } from "../../lib/connect/form";
import { mendFor, type Mend } from "../../lib/connect/mend";
import { api } from "../../lib/index";
import { setStatus } from "../../lib/session.svelte";
import { FirstMail } from "./first-mail.svelte";
import { HistoryOffer } from "./history-offer.svelte";

export const STEPS = ["address", "account", "crm", "check"] as const;
export type Step = (typeof STEPS)[number];
/** What the last step shows: the check, then the first mail, then the mails of the last days. */
export type Stage = "check" | "mail" | "history";

export class SetupFlow {
  step = $state<Step>("address");
  stage = $state<Stage>("check");

  form = $state<Form>(emptyForm());
  password = $state("");
  discovering = $state(false);
  discovery = $state.raw<Discovery | null>(null);
  /** Why nothing could be asked; the settings can still be entered. */
  discoverError = $state.raw<unknown>(null);
  /** The POP3 server beside which the IMAP server was found. */
  beside = $state.raw<Pop3Found | null>(null);
  /** Which of the settings found is taken; -1: entered by hand. */
  chosen = $state(-1);
  /** That an answer which could be forged names the right servers. */
  confirmed = $state(false);
  unconfirmed = $state(false);
  problems = $state.raw<Problems>({});

  crm = $state<CrmForm>(crmFormFor(null, ""));
  mode = $state<LogMode>("known_contacts");
  crmProblems = $state.raw<CrmProblems>({});
  tryingCrm = $state(false);
  crmError = $state.raw<unknown>(null);
  /** What answered, for what is entered at present. */
  portal = $state.raw<Portal | null>(null);

  readonly check = new CheckRun();
  readonly browser = new BrowserSignIn();
  connecting = $state(false);
  connectError = $state.raw<unknown>(null);
  /** The mailbox is at work: its settings are changed elsewhere from here on. */
  added = $state(false);
  mail = $state.raw<FirstMail | null>(null);
  history = $state.raw<HistoryOffer | null>(null);

  #asked = "";
  readonly #dataDir: string;
  #known: Status | null = null;
  // What is set, as far as it is known; a screen shows whether the chosen one is.
  #crmSet = $state.raw<CrmSettings | null>(null);
  #crmTried = $state("");
  /** The kind that this run has set, to be taken back when another is chosen. */
  #crmApplied: { kind: CrmKind; as: string } | null = null;

  constructor(dataDir: string) {
    this.#dataDir = dataDir;
    this.crm = crmFormFor(null, dataDir);
  }

  /** What is set up already; told once, and before the CRM is chosen. */
  know(status: Status): void {
    if (this.#known !== null || this.index > STEPS.indexOf("account")) return;
    this.#known = status;
    this.#crmSet = status.crms[0] ?? null;
    this.crm = crmFormFor(this.#crmSet, this.#dataDir);
  }

  get index(): number {
    return STEPS.indexOf(this.step);
  }

  get candidate() {
    return this.discovery?.candidates[this.chosen] ?? null;
  }

  /** Servers named by an answer that could be forged, as long as they are the ones in the form. */
  get doubtful(): string[] {
    const found = this.candidate;
    const named: string[] = [];
    if (found !== null && !found.trusted) named.push(found.imap.host, ...(found.smtp && this.form.sending ? [found.smtp.host] : []));
    // What stands beside a doubtful server is as doubtful.
    if (this.beside?.imap && (named.includes(this.beside.host) || !this.beside.trusted)) named.push(this.beside.imap.host);
    const used = [this.form.host.trim(), ...(this.form.sending ? [this.form.smtpHost.trim()] : [])];
    return [...new Set(used)].filter((host) => named.includes(host));
  }

  /** That the CRM answered, for what is typed now. */
  get crmTried(): boolean {
    return this.#crmTried !== "" && !this.tryingCrm && this.crmError === null;
  }

  /** Whether it is what is set already. */
  get crmKept(): boolean {
    return isSet(this.crm, this.#crmSet);
  }

  /** The failed step's one action; `null` while nothing has failed. */
  get mend(): Mend | null {
    const failed = this.check.failed;
    return failed === null ? null : mendFor(failed.step, failed.reason, this.check.presented !== null);
  }

  /** To a step before; after the mailbox is at work there is no way back. */
  back(to: Step = STEPS[this.index - 1] ?? "address"): void {
    if (this.added || STEPS.indexOf(to) >= this.index) return;
    this.check.forget();
    this.connectError = null;
    this.step = to;
  }

  /** Step 1: asks where the address's mail lies. Gives whether the next step is shown. */
  async discover(): Promise<boolean> {
    const address = this.form.address.trim();
    if (!isAddress(address)) {
      this.problems = { address: "address" };
      return false;
    }
    if (this.#known?.mailboxes.some((one) => one.address.toLowerCase() === address.toLowerCase())) {
      this.problems = { address: "known" };
      return false;
    }
    this.problems = {};
    if (this.discovery !== null && this.#asked === address) {
      this.step = "account";
      return true;
    }
    this.discovering = true;
    this.discoverError = null;
    this.#asked = address;
    try {
      const found = await api().discover(address);
      if (this.#asked !== address) return false;
      this.discovery = found;
      this.password = "";
      if (found.candidates.length > 0) this.choose(0);
      else this.byHand();
      if (found.pop3) this.form = { ...this.form, host: found.pop3.host, port: String(found.pop3.port) };
    } catch (error) {
      if (this.#asked !== address) return false;
      this.discovery = null;
      this.discoverError = error;
      this.byHand();
    } finally {
      this.discovering = false;
    }
    this.step = "account";
    return true;
  }

  /** Stops waiting for an answer; the address stays. */
  stopDiscovering(): void {
    this.#asked = "";
    this.discovering = false;
  }

  choose(index: number): void {
    const found = this.discovery?.candidates[index];
    if (found === undefined) return;
    this.chosen = index;
    this.browser.cancel();
    this.form = withCandidate(this.form, found);
    this.beside = null;
    this.confirmed = false;
    this.unconfirmed = false;
    this.problems = {};
  }

  byHand(): void {
    this.chosen = -1;
    this.browser.cancel();
    this.form = { ...emptyForm(this.form.address.trim()) };
    this.beside = null;
    this.confirmed = false;
    this.unconfirmed = false;
  }

  /** Takes the IMAP server beside a POP3 one. */
  takeImap(found: Pop3Found): void {
    if (found.imap === null) return;
    this.beside = found;
    this.form = withImap(this.form, found.imap);
    this.problems = {};
    this.confirmed = false;
    this.unconfirmed = false;
  }

  /** Step 2: gives whether the next step is shown. */
  account(): boolean {
    this.problems = problems(this.form, this.password);
    if (this.form.oauth !== null && this.browser.state !== "done") this.problems = { ...this.problems, password: "missing" };
    this.unconfirmed = this.doubtful.length > 0 && !this.confirmed;
    if (Object.keys(this.problems).length > 0 || this.unconfirmed) return false;
    this.step = "crm";
    return true;
  }

  /** Asks the CRM whether it takes mails; gives whether it does. */
  async tryCrm(): Promise<boolean> {
    this.crmProblems = this.crmKept ? {} : crmProblems(this.crm);
    if (Object.keys(this.crmProblems).length > 0) return false;
    const { draft, secret } = crmDraftOf(this.crm);
    const what = JSON.stringify([draft, secret]);
    if (this.crmKept || (this.#crmTried === what && this.crmError === null)) return true;
    this.tryingCrm = true;
    this.crmError = null;
    this.portal = null;
    this.#crmTried = what;
    try {
      this.portal = await api().tryCrm(draft, secret);
      return true;
    } catch (error) {
      this.crmError = error;
      return false;
    } finally {
      this.tryingCrm = false;
    }
  }

  /** What was said about the CRM does not hold for what is typed now. */
  crmChanged(): void {
    this.crmError = null;
    this.portal = null;
    this.crmProblems = {};
    this.#crmTried = "";
  }

  /** Step 3: gives whether the check has begun. */
  async toCheck(): Promise<boolean> {
    if (!(await this.tryCrm())) return false;
    this.step = "check";
    this.stage = "check";
    void this.runCheck();
    return true;
  }

  /** The password; `null` where the sign-in is in the browser. */
  get secret(): string | null {
    return this.form.oauth === null ? this.password : null;
  }

  get draft(): MailboxDraft {
    return draftOf(this.form);
  }

  /** Step 4: the CRM is set first, because the check asks it too. */
  async runCheck(): Promise<void> {
    this.connectError = null;
    try {
      await this.#applyCrm();
    } catch (error) {
      this.check.forget();
      this.connectError = error;
      return;
    }
    await this.check.run(this.draft, this.secret);
  }

  async #applyCrm(): Promise<void> {
    const before = this.#crmApplied;
    const { draft, secret } = crmDraftOf(this.crm);
    const as = JSON.stringify([draft, secret]);
    if (before?.as === as) return;
    if (!this.crmKept) {
      setStatus(await api().setCrm(draft, secret));
      this.#crmSet = draft;
      this.#crmApplied = { kind: draft.kind, as };
    }
    if (before !== null && before.kind !== draft.kind) setStatus(await api().removeCrm(before.kind));
  }

  /** Trusts the certificate that was shown, for this server only, and checks again. */
  async trust(): Promise<void> {
    const shown = this.check.presented;
    if (shown === null) return;
    this.form = withTrust(this.form, this.check.report?.failed ?? null, shown.fingerprint);
    await this.runCheck();
  }

  async withoutSmtp(): Promise<void> {
    this.form.sending = false;
    await this.runCheck();
  }

  /** The check is fine: from here on the mailbox is logged. */
  async connect(): Promise<void> {
    this.connecting = true;
    this.connectError = null;
    const { address } = this.draft;
    try {
      // A mail sent between the two calls is seen too.
      this.mail ??= new FirstMail(address);
      if (!this.added) {
        setStatus(await api().addMailbox(this.draft, this.secret, this.mode));
        this.added = true;
        this.password = "";
        this.crm = { ...this.crm, token: "", secret: "" };
      }
      await this.mail.begin();
      this.stage = "mail";
    } catch (error) {
      this.connectError = error;
    } finally {
      this.connecting = false;
    }
  }

  hear(news: News): void {
    this.mail?.hear(news);
  }

  offerHistory(): void {
    this.history ??= new HistoryOffer(this.draft.address);
    this.stage = "history";
  }
}
