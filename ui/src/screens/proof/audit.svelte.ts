/** One coverage audit: its progress, and its end as buckets. */
import type { AuditReport, ScanProgress } from "../../lib/bindings";
import { api } from "../../lib/index";
import type { Tone } from "../../lib/state";

export type BucketName = "logged" | "waiting" | "asked" | "ignored" | "unruled" | "older" | "missed";
export type Bucket = { name: BucketName; count: number; tone: Tone };

const TONES: Record<BucketName, Tone> = {
  logged: "ok", waiting: "busy", asked: "warn", ignored: "idle", unruled: "warn", older: "idle", missed: "bad",
};

/** What the messages of a report came to, those that came to nothing left out, but for the missed ones. */
export function buckets(report: AuditReport): Bucket[] {
  const ignored = report.ignored.reduce((sum, one) => sum + one.count, 0);
  return (Object.keys(TONES) as BucketName[])
    .map((name) => ({ name, count: name === "ignored" ? ignored : report[name], tone: TONES[name] }))
    .filter((one) => one.count > 0 || one.name === "missed");
}

export class AuditRun {
  report = $state.raw<AuditReport | null>(null);
  progress = $state.raw<ScanProgress | null>(null);
  running = $state<"look" | "fix" | null>(null);
  failed = $state.raw<unknown>(null);

  /** With `fix`, what is missed is put on its way. What was found before stays until there is something new. */
  async run(address: string, days: number, fix: boolean): Promise<void> {
    if (this.running !== null) return;
    this.running = fix ? "fix" : "look";
    this.progress = null;
    this.failed = null;
    try {
      this.report = await api().audit(address, days, fix, (at) => (this.progress = at));
    } catch (error) {
      this.failed = error;
    } finally {
      this.running = null;
    }
  }
}
