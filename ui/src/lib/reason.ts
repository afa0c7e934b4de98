/** What the program says by code, in words: reasons with who must act, and rules. */
import type { Outcome, ProviderAdvice, Reason, RuleCount } from "./bindings";
import { has, t } from "./i18n.svelte";
import owners from "./owners.json";
import type { Tone } from "./state";

/** Who must act. */
export type Owner = "user" | "administrator" | "nobody";

/** By the program's own table, which writes `owners.json`. A code that is not known yet heals or not by itself. */
export function ownerOf(code: string): Owner {
  return Object.hasOwn(owners, code) ? (owners as Record<string, Owner>)[code]! : "nobody";
}

/** What is the matter, in one sentence. */
export function reasonTitle(code: string): string {
  const key = `reason.${code}.title`;
  return t(has(key) ? key : "reason.unknown.title");
}

/** What that means, in plain words. */
export function reasonWhy(code: string): string {
  const key = `reason.${code}.why`;
  return t(has(key) ? key : "reason.unknown.why");
}

/** The one next action, as the mailbox's provider wants it done where that is known. */
export function reasonNext(code: string, advice: ProviderAdvice | null = null): string {
  const own = `advice.${advice?.key}`;
  if (has(own)) return t(own);
  const key = `reason.${code}.next`;
  return t(has(key) ? key : "reason.unknown.next");
}

/** Why a message was logged, ignored, asked about or held. A rule that is not known yet is shown by its name. */
export function ruleText(name: string): string {
  const key = `rule.${name}`;
  return has(key) ? t(key) : name;
}

/** What this program found itself: the words beside it are names and numbers, and no server's answer. */
const OWN: ReadonlySet<string> = new Set([
  "proxy_unreachable", "proxy_refused", "local_clock_wrong", "wrong_account", "keychain_locked", "keychain_missing", "ledger_failed", "setting_unusable",
  "folder_failed", "protocol_error", "tls_untrusted", "tls_name_mismatch", "tls_expired", "dns_failure", "connection_refused", "connection_timeout",
  "connection_reset", "network_unreachable",
]);

/** Whose the words are that stand beside a reason. */
export function wordsLabel(reason: string | null): string {
  return t(reason !== null && OWN.has(reason) ? "common.details" : "common.servers_words");
}

/** Whether the person must name the folder of sent mail. */
export function folderWanted(reason: Reason | null): boolean {
  return reason === "folder_missing" || reason === "sent_folder_unknown";
}

export const OUTCOME_TONE: Record<Outcome, Tone> = { log: "ok", ask: "busy", hold: "warn", ignore: "idle" };

const ORDER: readonly Outcome[] = ["log", "ask", "hold", "ignore"];

/** What is logged first, then what is asked; the most of each first. */
export function sortedRules(counts: readonly RuleCount[]): RuleCount[] {
  return [...counts].sort((a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome) || b.count - a.count);
}
