/** The disconnects of the last 30 days. While the computer itself is offline there is none. */
import type { Channel, Outage, Reason, State } from "../bindings";
import { ANN, SALES } from "./people";
import { ago, DAY, HOUR, MINUTE } from "./time";
import type { Scene } from "./status";

function one(of: string, channel: Channel, state: State, reason: Reason, since: number, length: number | null, evidence: string | null = null): Outage {
  return { of, channel, also: [], state, reason, since: ago(since), until: length === null ? null : ago(since - length), evidence, absent: 0 };
}

export function outages(scene: Scene): Outage[] {
  if (scene === "empty") return [];
  const past = [
    one(ANN.address, "inbox", "needs_attention", "mailbox_migrated", 27 * DAY + 2 * HOUR, 5 * HOUR + 12 * MINUTE, "BYE Mailbox has been migrated"),
    one(SALES, "inbox", "needs_attention", "server_unavailable", 21 * DAY, 47 * MINUTE, "[UNAVAILABLE] Temporary failure"),
    one("hubspot", "crm", "needs_attention", "crm_token_rejected", 13 * DAY + 5 * HOUR, 3 * HOUR + 20 * MINUTE, "401 This app hasn't been granted all required scopes"),
    one(ANN.address, "inbox", "needs_attention", "imap_disabled_by_admin", 9 * DAY + 4 * HOUR, 26 * HOUR, "[UNAVAILABLE] IMAP access is disabled for your domain. Please contact your domain administrator."),
    one(SALES, "inbox", "needs_attention", "password_expired", 2 * DAY + 6 * HOUR, 55 * MINUTE, "[EXPIRED] That password isn't valid any more"),
  ];
  if (scene === "broken") past.push(one(ANN.address, "inbox", "needs_attention", "password_changed", 82 * MINUTE, null, "[AUTHENTICATIONFAILED] Invalid credentials (Failure)"));
  return past;
}
