/** The way back to a broken mailbox: mend, check, connect, catch up. */
import type { Broken, CatchUp, News, Pop3Found, SetAside } from "../../lib/bindings";
import { BrowserSignIn } from "../../lib/connect/browser-sign-in.svelte";
import { CheckRun } from "../../lib/connect/check-run.svelte";
import { draftOf, emptyForm, formOf, problems, withImap, withTrust, type FieldName, type Form, type Problems } from "../../lib/connect/form";
import { fieldFor, mendFor, type Mend } from "../../lib/connect/mend";
import { api } from "../../lib/index";
import { folderWanted, ownerOf, type Owner } from "../../lib/reason";
import { session, setStatus } from "../../lib/session.svelte";

/** `other`: it is another mailbox than before, and nothing was changed. */
export type Stage = "loading" | "unknown" | "mend" | "checking" | "other" | "connecting" | "catching_up" | "done";

export class ReconnectFlow {
  readonly address: string;
  stage = $state<Stage>("loading");
  broken = $state.raw<Broken | null>(null);
  form = $state<Form>(emptyForm());
  /** Empty: the one in the keychain. */
  password = $state("");
  problems = $state.raw<Problems>({});
  readonly check = new CheckRun();
  readonly browser = new BrowserSignIn();
  /** What `broken` or `reconnect` was refused with. */
  error = $state.raw<unknown>(null);
  catchUp = $state.raw<CatchUp | null>(null);

  constructor(address: string) {
    this.address = address;
  }

  async load(): Promise<void> {
    this.stage = "loading";
    this.error = null;
    try {
      this.broken = await api().broken(this.address);
      this.form = formOf(this.broken.draft);
      this.stage = "mend";
    } catch (error) {
      this.error = error;
      this.stage = "unknown";
    }
  }

  /** Who must act, by what is known: the check just made, else what broke. */
  get owner(): Owner {
    const reason = this.check.failed?.reason ?? this.broken?.reason ?? null;
    return reason === null ? "nobody" : ownerOf(reason);
  }

  /** Nobody need act, and what is known of the mailbox serves: nothing is to be typed at first. */
  get calm(): boolean {
    return this.owner === "nobody" && !this.secretWanted;
  }

  get mend(): Mend {
    const failed = this.check.failed;
    if (failed !== null) return mendFor(failed.step, failed.reason, this.check.presented !== null);
    return mendFor(this.broken?.failed ?? "dns", this.broken?.reason ?? null, false);
  }

  /** The field to mend, or `null` where nothing is to be typed. */
  get field(): FieldName | null {
    return this.broken === null || (this.broken.failed === null && this.broken.reason === null) ? null : fieldFor(this.mend);
  }

  /** The password itself is wrong: going on with the old one would fail in the same way. */
  get passwordWanted(): boolean {
    return this.field === "password";
  }

  /** What is in the keychain does not serve: it is refused, or the mailbox is to be signed in to in another way than before. */
  get secretWanted(): boolean {
    const before = this.broken?.draft.auth?.kind === "oauth";
    return this.passwordWanted || before !== (this.form.oauth !== null);
  }

  /** Checks, and where it is fine and the same mailbox, connects. */
  async go(): Promise<void> {
    this.problems = problems(this.form, this.secretWanted ? this.password : null);
    if (this.form.oauth !== null && this.secretWanted && this.browser.state !== "done") {
      this.problems = { ...this.problems, password: "missing" };
    }
    if (Object.keys(this.problems).length > 0) return;
    this.error = null;
    this.stage = "checking";
    const report = await this.check.run(draftOf(this.form), this.#typed);
    // Without a folder of sent mail the mailbox would be as broken as before.
    const unnamed = folderWanted(this.broken?.reason ?? null) && report?.steps.some((one) => folderWanted(one.reason)) === true;
    if (report === null || report.failed !== null || unnamed) {
      this.stage = "mend";
      return;
    }
    if (report.same_mailbox === false) {
      this.stage = "other";
      return;
    }
    await this.#connect(false);
  }

  /** The other mailbox is meant: it takes the place of the one before. */
  async takePlace(): Promise<void> {
    await this.#connect(true);
  }

  /** The password that was typed; `null`: the one in the keychain, or what the browser has given. */
  get #typed(): string | null {
    return this.password === "" || this.form.oauth !== null ? null : this.password;
  }

  async #connect(takesPlace: boolean): Promise<void> {
    this.stage = "connecting";
    try {
      const status = await api().reconnect(draftOf(this.form), this.#typed, takesPlace);
      setStatus(status);
      this.password = "";
      if (this.stage === "connecting") this.stage = "catching_up";
    } catch (error) {
      this.error = error;
      this.stage = "mend";
    }
  }

  hear(news: News): void {
    if (news.kind !== "catch_up" || news.progress.address !== this.address) return;
    // News of a catch-up before this one are not about what is mended here.
    if (this.stage !== "connecting" && this.stage !== "catching_up") return;
    this.catchUp = news.progress;
    this.stage = news.progress.done ? "done" : "catching_up";
  }

  /** Messages that could not be checked; they are named on the overview. */
  get setAside(): readonly SetAside[] {
    return session.status?.mailboxes.find((one) => one.address === this.address)?.set_aside ?? [];
  }

  /** How many were missed and not checked at the end. */
  get gap(): number {
    const at = this.catchUp;
    return at === null ? 0 : Math.max(0, at.missed - at.checked);
  }

  /** The IMAP server beside a POP3 one. */
  takeImap(found: Pop3Found): void {
    if (found.imap === null) return;
    this.form = withImap(this.form, found.imap);
    this.problems = {};
  }

  /** Trusts the certificate that was shown, for this server only, and checks again. */
  async trust(): Promise<void> {
    const shown = this.check.presented;
    if (shown === null) return;
    this.form = withTrust(this.form, this.check.report?.failed ?? null, shown.fingerprint);
    await this.go();
  }

  async withoutSmtp(): Promise<void> {
    this.form.sending = false;
    await this.go();
  }
}
