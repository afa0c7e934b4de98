/** What a set-up would do, in words; what it carries is shown as it is. */
import type { Change, CrmSettings } from "../../lib/bindings";
import { has, t, tn } from "../../lib/i18n.svelte";
import { plain } from "../../lib/plain";

export type ChangeWords = { title: string; text: string; /** What it takes the place of. */ instead: string | null };

const list = (parts: readonly string[]): string => parts.map((part) => plain(part)).join(", ");

function crm(set: CrmSettings): string {
  const where = set.kind === "folder" ? set.dir : set.kind === "webhook" ? set.url : set.kind === "hubspot" ? (set.base_url ?? "") : "";
  return where === "" ? t(`crm.kind.${set.kind}`) : `${t(`crm.kind.${set.kind}`)} (${plain(where)})`;
}

function now(what: string): string | null {
  return what === "" ? null : t("it_setup.now", { what });
}

export function changeWords(change: Change): ChangeWords {
  const mailboxes = (of: readonly string[]) => (of.length === 0 ? null : tn("it_setup.changes", of.length));
  switch (change.sets) {
    case "oauth_app": {
      const key = `oauth.${change.provider}`;
      const who = has(key) ? t(key) : plain(change.at ?? change.provider);
      return { title: t("it_setup.app", { provider: who }), text: plain(change.client_id), instead: now(plain(change.instead_of ?? "")) };
    }
    case "crm":
      return { title: t("it_setup.crm"), text: crm(change.crm), instead: now(change.instead_of.map(crm).join(", ")) };
    case "mode":
      return { title: t("setup.mode.legend"), text: t(`setup.mode.${change.mode}`), instead: mailboxes(change.instead_of) };
    case "create_contacts":
      return { title: t("settings.rules.create"), text: t(`settings.rules.create.${change.create}`), instead: mailboxes(change.instead_of) };
    case "colleagues":
      return { title: t("settings.rules.colleagues"), text: list(change.domains), instead: null };
    case "never":
      return { title: t("settings.rules.never"), text: list(change.who), instead: null };
  }
}
