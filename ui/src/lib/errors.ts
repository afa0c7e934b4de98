/** A refused call as words: what, why, what next. */
import { isAppError } from "./api";
import { has, t } from "./i18n.svelte";
import { plain } from "./plain";

export type Said = { title: string; cause: string; next: string | null };

/** What an error names may have come with a mail or from a server. */
function shown(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, plain(value)]));
}

/** `title` names what did not work. The cause comes by the error's code from the catalogue, else by its message. */
export function said(title: string, error: unknown): Said {
  if (!isAppError(error)) return { title, cause: `${t("error.unexpected")} (${String(error)})`, next: t("error.unexpected.next") };
  const cause = `error.${error.code}`;
  const next = `error.${error.code}.next`;
  if (has(cause)) return { title, cause: t(cause, shown(error.values)), next: has(next) ? t(next) : error.next };
  const reason = `reason.${error.code}.title`;
  const step = `reason.${error.code}.next`;
  if (has(reason)) return { title, cause: t(reason), next: has(step) ? t(step) : error.next };
  return { title, cause: error.message, next: error.next };
}
