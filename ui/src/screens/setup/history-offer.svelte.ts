/** "Read the last 30 days too?": what that would log, and then doing it or not. */
import type { DryRun, Scanned, ScanProgress } from "../../lib/bindings";
import { api } from "../../lib/index";

export const DAYS = 30;

export class HistoryOffer {
  readonly address: string;
  state = $state<"asked" | "looking" | "looked" | "reading" | "read">("asked");
  progress = $state.raw<ScanProgress | null>(null);
  trial = $state.raw<DryRun | null>(null);
  done = $state.raw<Scanned | null>(null);
  /** What the last call was refused with; the state is the one before it. */
  error = $state.raw<unknown>(null);

  constructor(address: string) {
    this.address = address;
  }

  async look(): Promise<void> {
    await this.#call("looking", "asked", async (at) => {
      this.trial = await api().dryRun(this.address, DAYS, at);
      return "looked";
    });
  }

  async read(): Promise<void> {
    await this.#call("reading", "looked", async (at) => {
      this.done = await api().readHistory(this.address, DAYS, at);
      return "read";
    });
  }

  async #call(
    during: "looking" | "reading",
    before: "asked" | "looked",
    act: (at: (progress: ScanProgress) => void) => Promise<"looked" | "read">,
  ): Promise<void> {
    this.state = during;
    this.error = null;
    this.progress = null;
    try {
      this.state = await act((progress) => (this.progress = progress));
    } catch (error) {
      this.error = error;
      this.state = before;
    }
  }
}
