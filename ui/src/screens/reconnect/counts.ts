/** The end of a catch-up in numbers. */
import type { CatchUp } from "../../lib/bindings";
import { t, tn } from "../../lib/i18n.svelte";

/** "37 mails missed, 37 checked, 12 logged" */
export function countsText(at: CatchUp): string {
  return at.missed === 0 ? t("reconnect.nothing_missed") : tn("reconnect.counts", at.missed, { checked: at.checked, logged: at.logged });
}
