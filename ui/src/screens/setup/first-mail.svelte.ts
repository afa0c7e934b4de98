/** The first mail that the person sends from their own client: where it is looked for, how long, and that it came. */
import type { Activity, Folder, News } from "../../lib/bindings";
import { clock } from "../../lib/clock.svelte";
import { api } from "../../lib/index";

/** After so many milliseconds without it, what to change is shown. */
export const LONG = 60_000;

export class FirstMail {
  readonly address: string;
  /** Watched for what is sent; empty while it is not known. */
  folders = $state.raw<readonly Folder[]>([]);
  found = $state.raw<Activity | null>(null);
  /** Milliseconds since 1970. */
  since = $state(0);
  /** How long it took, in milliseconds. */
  took = $state(0);

  constructor(address: string) {
    this.address = address;
    this.since = clock.read();
  }

  /** Starts to count. The folders are a convenience: without them the rest works. */
  async begin(): Promise<void> {
    this.since = clock.read();
    try {
      this.folders = (await api().folders(this.address)).filter((one) => one.role === "sent" || one.role === "all");
    } catch {
      this.folders = [];
    }
  }

  hear(news: News): void {
    if (news.kind !== "activity" || this.found !== null) return;
    const { entry } = news;
    if (entry.kind !== "decided" || entry.of !== this.address || entry.direction !== "outgoing") return;
    this.took = Math.max(0, clock.read() - this.since);
    this.found = entry;
  }

  /** Milliseconds of waiting until `now`. */
  waited(now: number): number {
    return Math.max(0, now - this.since);
  }

  late(now: number): boolean {
    return this.found === null && this.waited(now) >= LONG;
  }
}
