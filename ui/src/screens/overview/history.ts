/** The last days, one cell each, with the disconnects that touch them. */
import type { Outage } from "../../lib/bindings";

export type Day = { start: number; outages: Outage[] };
export type Row = { of: string; days: Day[] };

/** Local midnight of the day that is `days` before `now`. */
function midnight(now: number, days: number): number {
  const date = new Date(now);
  // The calendar, not 24 hours: days with a change of the clock are shorter or longer.
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - days).getTime();
}

/** One row for each of `names`, then for what else had a disconnect; `count` days each, today last. */
export function rows(outages: readonly Outage[], names: readonly string[], now: number, count: number): Row[] {
  const all = [...new Set([...names, ...outages.map((one) => one.of)])];
  return all.map((of) => ({
    of,
    days: Array.from({ length: count }, (_, n) => {
      const start = midnight(now, count - 1 - n);
      const end = midnight(now, count - 2 - n);
      const within = outages.filter(
        (one) => one.of === of && Date.parse(one.since) < end && (one.until === null ? now : Date.parse(one.until)) > start,
      );
      return { start, outages: within };
    }),
  }));
}

/** How long it was, or has been until now, in milliseconds, without the time in which the computer slept. */
export function lasted(outage: Outage, now: number): number {
  return Math.max(0, (outage.until === null ? now : Date.parse(outage.until)) - Date.parse(outage.since) - outage.absent * 1000);
}
