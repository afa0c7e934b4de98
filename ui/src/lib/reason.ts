/** What the program says by code, in words: reasons with who must act, and rules. */
import { has, t, type ReasonCode } from "./i18n.svelte";

/** Who must act. */
export type Owner = "user" | "administrator" | "nobody";

const NOBODY: readonly ReasonCode[] = [
  "access_token_rejected", "client_id_required", "sending_limit", "throttled", "server_unavailable",
  "server_closed_connection", "session_expired", "protocol_error", "protocol_state", "dns_failure",
  "connection_refused", "connection_timeout", "connection_reset", "network_unreachable", "crm_daily_limit", "unknown",
];
const ADMINISTRATOR: readonly ReasonCode[] = [
  "blocked_by_admin", "conditional_access", "app_disabled", "smtp_auth_disabled", "imap_disabled_by_admin",
  "mailbox_disabled", "mailbox_missing", "mailbox_migrated", "mailbox_unreachable", "ip_banned", "geo_or_ip_blocked",
  "connection_revoked", "tls_untrusted", "tls_name_mismatch", "tls_expired",
];

/** As the program's own table has it; a test compares the two. A code that is not known yet heals or not by itself. */
export function ownerOf(code: string): Owner {
  if (!has(`reason.${code}.title`) || (NOBODY as readonly string[]).includes(code)) return "nobody";
  return (ADMINISTRATOR as readonly string[]).includes(code) ? "administrator" : "user";
}

/** What is the matter, in one sentence. */
export function reasonTitle(code: string): string {
  const key = `reason.${code}.title`;
  return t(has(key) ? key : "reason.unknown.title");
}

/** The one next action. */
export function reasonNext(code: string): string {
  const key = `reason.${code}.next`;
  return t(has(key) ? key : "reason.unknown.next");
}

/** Why a message was logged, ignored, asked about or held. A rule that is not known yet is shown by its name. */
export function ruleText(name: string): string {
  const key = `rule.${name}`;
  return has(key) ? t(key) : name;
}
