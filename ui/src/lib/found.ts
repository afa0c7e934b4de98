/** What a step of the check found, in words. */
import type { Found, FoundCrm } from "./bindings";
import { said } from "./errors";
import { has, t, tn } from "./i18n.svelte";
import { plain } from "./plain";

function crm({ kind, name }: FoundCrm): string {
  const key = `crm.kind.${kind}`;
  return `${has(key) ? t(key) : kind}: ${plain(name)}`;
}

export function foundWords(found: Found): string {
  switch (found.what) {
    case "messages":
      return tn("check.found.messages", found.messages);
    case "sent_folders":
      return found.folders.map(({ name, how }) => `${plain(name)} (${t(`check.found.${how}`)})`).join(", ");
    case "crms":
      return found.crms.map(crm).join(", ");
    case "unusable":
      return has(`error.${found.code}`) ? said("", { ...found, next: null }).cause : plain(found.message);
  }
}
