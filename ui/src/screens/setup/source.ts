/** Where settings were found, in words. */
import type { Candidate } from "../../lib/bindings";
import { t } from "../../lib/i18n.svelte";

export function sourceText(found: Candidate, address: string): string {
  return t(`setup.source.${found.source}`, { domain: address.split("@")[1] ?? "", host: found.imap.host });
}

/** "imap.firm.example, port 993, TLS" */
export function serverText(host: string, port: string | number, encryption: Candidate["imap"]["encryption"]): string {
  return t("setup.server", { host, port: String(port), encryption: t(`setup.encryption.${encryption}`) });
}
