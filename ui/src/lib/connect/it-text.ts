/** Texts for the IT department: the facts, what is asked for, and no secret. */
import type { CheckStepName, Encryption, Reason } from "../bindings";
import { absolute } from "../format";
import { i18n, t } from "../i18n.svelte";
import { reasonTitle } from "../reason";

export type Server = { address: string; user: string; host: string; port: string | number; encryption: Encryption };
export type Trouble = Server & {
  step: CheckStepName | null;
  reason: Reason | null;
  since: string | null;
  /** The server's own words. */
  words: string | null;
};

function server(of: Server): string {
  return `${of.host}:${of.port} (${t(`setup.encryption.${of.encryption}`)})`;
}

function lines(...parts: (string | null)[]): string {
  return parts.filter((part) => part !== null).join("\n");
}

function fact(name: string, value: string | null): string | null {
  return value === null || value === "" ? null : `- ${name}: ${value}`;
}

/** Asks for IMAP where the mailbox is reached by POP3 only. */
export function pop3Text(of: Server): string {
  return lines(
    t("setup.it.hello"), "", t("setup.it.pop3"), "",
    fact(t("setup.it.mailbox"), of.address), fact(t("setup.it.typed"), `${of.host}:${of.port}`), "",
    t("setup.it.pop3.wanted"), `- ${t("setup.it.pop3.wanted.imap")}`, `- ${t("setup.it.pop3.wanted.smtp")}`,
    `- ${t("setup.it.pop3.wanted.user")}`, "", t("setup.it.pop3.why"), "", t("setup.it.thanks"),
  );
}

/** Says what fails, where and since when. */
export function troubleText(of: Trouble): string {
  return lines(
    t("setup.it.hello"), "", t("setup.it.trouble", { address: of.address }), "",
    fact(t("setup.it.problem"), of.reason === null ? null : reasonTitle(of.reason)),
    fact(t("setup.it.step"), of.step === null ? null : t(`check.step.${of.step}`)),
    fact(t("setup.it.server"), server(of)), fact(t("setup.it.user"), of.user),
    fact(t("setup.it.since"), of.since === null ? null : `${absolute(of.since, i18n.locale)} (${of.since})`),
    fact(t("setup.it.words"), of.words), fact(t("setup.it.code"), of.reason), "",
    t("setup.it.trouble.wanted"), "", t("setup.it.program"), "", t("setup.it.thanks"),
  );
}
