/** The one next action for a step that failed, and the field where it is done. */
import type { CheckStepName, Reason } from "../bindings";
import { ownerOf } from "../reason";
import type { FieldName } from "./form";

/**
 * `trust`: this one certificate, after it was shown; `pop3`: the explanation; `it`: a text for the IT department;
 * `without_smtp`: log the mailbox without sending through it; `folder`: the folder of sent mail that was chosen.
 */
export type Mend =
  | "password" | "user" | "host" | "port" | "trust" | "pop3" | "smtp" | "without_smtp" | "crm" | "it" | "folder" | "again";

const PASSWORD: readonly Reason[] = [
  "credentials_rejected", "password_changed", "auth_rejected", "app_password_required", "web_login_required",
  "password_expired", "mfa_required",
];
const PORT: readonly Reason[] = [
  "connection_refused", "wrong_port_or_protocol", "tls_required", "tls_plaintext_port",
];
const HOST: readonly Reason[] = ["dns_failure", "tls_name_mismatch", "mailbox_migrated"];
const USER: readonly Reason[] = ["wrong_account", "mailbox_missing"];

/** `presented`: the untrusted server's certificate is known and can be shown. */
export function mendFor(step: CheckStepName, reason: Reason | null, presented: boolean): Mend {
  const owner = reason === null ? "nobody" : ownerOf(reason);
  if (step === "crm") return owner === "nobody" && reason !== null ? "again" : "crm";
  if (step === "smtp") {
    if (reason === "tls_untrusted" && presented) return "trust";
    if (reason !== null && (PORT.includes(reason) || HOST.includes(reason))) return "smtp";
    return owner === "nobody" && reason !== null ? "again" : "without_smtp";
  }
  if (reason !== null) {
    if (reason === "pop3_configured") return "pop3";
    if (reason === "tls_untrusted") return presented ? "trust" : "it";
    if (PASSWORD.includes(reason)) return "password";
    if (PORT.includes(reason)) return "port";
    if (HOST.includes(reason)) return "host";
    if (USER.includes(reason)) return "user";
    if (owner === "administrator") return "it";
    if (owner === "nobody" || reason.startsWith("local_") || reason === "captive_portal") return "again";
  }
  if (step === "sign_in") return "password";
  if (step === "dns") return "host";
  return step === "tcp" ? "port" : "again";
}

const FIELDS: Partial<Record<Mend, FieldName>> = {
  password: "password", user: "user", host: "host", port: "port", smtp: "smtp_host",
};

/** Where the focus belongs, or `null` where nothing is to be typed. */
export function fieldFor(mend: Mend): FieldName | null {
  return FIELDS[mend] ?? null;
}
