/** In which order the rules are asked (`core::decide`): the first that speaks decides. */
import type { Outcome, Rule } from "../../lib/bindings";

/** One place in the order; its rules exclude each other, or are asked one after the other. */
export type Place = { outcome: Outcome; rules: readonly Rule[] };

export const PRECEDENCE: readonly Place[] = [
  { outcome: "ignore", rules: ["keyword_never", "never_folder", "never_address", "never_domain", "never_word"] },
  { outcome: "ignore", rules: ["private_time"] },
  { outcome: "ignore", rules: ["draft", "no_sender"] },
  { outcome: "ignore", rules: ["told_not_to", "relay_no_log", "taken_out", "deleted_in_crm"] },
  { outcome: "hold", rules: ["forward_to_log"] },
  { outcome: "ignore", rules: ["only_own_addresses", "only_colleagues"] },
  { outcome: "log", rules: ["crm_address", "told_to_log", "sent_by_threadline", "keyword_log", "relay_log", "log_folder", "logging_address", "forwarded_to_log"] },
  { outcome: "ask", rules: ["forward_not_read"] },
  { outcome: "ignore", rules: ["bounce", "auto_reply", "calendar_reply", "read_receipt", "newsletter"] },
  { outcome: "ask", rules: ["own_not_in_sent"] },
  { outcome: "log", rules: ["sent_in_logged_thread", "reply_in_logged_thread"] },
  { outcome: "ask", rules: ["stranger_in_thread"] },
  { outcome: "ignore", rules: ["older_than_beginning"] },
  { outcome: "ask", rules: ["same_subject"] },
  { outcome: "ignore", rules: ["only_when_i_say"] },
  { outcome: "log", rules: ["sent_to_contact", "sent_to_outsider", "received_from_outsider"] },
  { outcome: "hold", rules: ["contacts_not_loaded"] },
  { outcome: "ask", rules: ["unknown_recipient", "new_from_contact", "no_contact"] },
  { outcome: "ignore", rules: ["unknown_sender"] },
];
