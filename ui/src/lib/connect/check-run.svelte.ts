/** One check, live: the steps as they come, and the report at its end. */
import { api } from "../index";
import type { Certificate, CheckReport, CheckStep, MailboxDraft } from "../bindings";

export class CheckRun {
  steps = $state.raw<readonly CheckStep[]>([]);
  running = $state(false);
  report = $state.raw<CheckReport | null>(null);
  /** What the call itself was refused with; `null` where the check ran, however it ended. */
  error = $state.raw<unknown>(null);
  #turn = 0;

  /** The step that stopped it, with its reason and words. */
  get failed(): CheckStep | null {
    const name = this.report?.failed ?? null;
    return name === null ? null : (this.steps.findLast((one) => one.step === name) ?? null);
  }

  /** What the server of the step that stopped it presented, where that was not trusted. */
  get presented(): Certificate | null {
    const shown = this.report?.failed === "smtp" ? this.report.presented_smtp : this.report?.presented;
    return shown ?? null;
  }

  get fine(): boolean {
    return this.report !== null && this.report.failed === null;
  }

  /** Gives the report, or `null` where the call was refused or another run has begun since. */
  async run(draft: MailboxDraft, password: string | null): Promise<CheckReport | null> {
    this.forget();
    const turn = this.#turn;
    this.running = true;
    try {
      const report = await api().check(draft, password, (step) => {
        if (turn === this.#turn) this.steps = [...this.steps, step];
      });
      if (turn !== this.#turn) return null;
      if (report.steps.length > 0) this.steps = report.steps;
      this.report = report;
      return report;
    } catch (error) {
      if (turn === this.#turn) this.error = error;
      return null;
    } finally {
      if (turn === this.#turn) this.running = false;
    }
  }

  /** What still comes of a run that is under way is not heard any more. */
  forget(): void {
    this.#turn += 1;
    this.steps = [];
    this.running = false;
    this.report = null;
    this.error = null;
  }
}
