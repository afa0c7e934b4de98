/** What is shown of the activity, and what is held back while the person reads. */
import type { Activity, ActivityKind, Outcome } from "../../lib/bindings";

/** The kinds of the filter: decisions by their outcome, the rest by kind. */
export type Kind = Outcome | Exclude<ActivityKind, "decided">;
export const KINDS: readonly Kind[] = ["log", "ignore", "ask", "hold", "pushed", "push_failed", "set_aside", "health"];
export type Filter = { kind: Kind | "all"; of: string | "all" };

/** The most entries kept in the list; older ones come again by paging. */
export const MOST = 2000;

export function kindOf(entry: Activity): Kind {
  return entry.kind === "decided" ? (entry.outcome ?? "ignore") : entry.kind;
}

export function fits(entry: Activity, filter: Filter): boolean {
  return (filter.kind === "all" || kindOf(entry) === filter.kind) && (filter.of === "all" || entry.of === filter.of);
}

/** Newest first, each once, at most `MOST`: `entries` may overlap with what is there. */
export function merge(shown: readonly Activity[], entries: readonly Activity[]): Activity[] {
  const all = new Map<number, Activity>();
  for (const one of [...entries, ...shown]) if (!all.has(one.id)) all.set(one.id, one);
  return [...all.values()].sort((a, b) => b.id - a.id).slice(0, MOST);
}
