/** How long a part of a mail stays: `7d` days, `1m` this calendar month and one more, `1y` years, `forever`. */
import { t, tn } from "../../lib/i18n.svelte";

const USUAL: readonly string[] = ["1d", "7d", "30d", "90d", "1m", "1y", "2y", "10y", "forever"];

export function periodText(period: string): string {
  const n = Number(period.slice(0, -1));
  switch (period.at(-1)) {
    case "d":
      return tn("period.days", n);
    case "m":
      return tn("period.months", n);
    case "y":
      return tn("period.years", n);
    default:
      return t("period.forever");
  }
}

/** What is offered: the usual periods, and the one that is set. */
export function periods(set: string): { value: string; label: string }[] {
  const all = USUAL.includes(set) ? USUAL : [set, ...USUAL];
  return all.map((value) => ({ value, label: periodText(value) }));
}
