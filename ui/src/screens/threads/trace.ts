/** The way of one mail, as "Where is my mail?" shows it. */
import type { Trace, TraceStage, Which } from "../../lib/bindings";
import type { Tone } from "../../lib/state";

export const STAGE_TONE: Record<TraceStage, Tone> = {
  not_in_sent: "warn", not_seen: "busy", ignored: "idle", asked: "warn", held: "busy", fetching: "busy", waiting: "busy",
  in_crm: "ok", failed: "bad", not_asked: "warn",
};

export type Step = { name: "sent" | "decided" | "in_crm"; at: string | null };

/** Where a mail has been, and when; a step that is still ahead has no time. What is not logged goes no further. */
export function steps(trace: Trace): Step[] {
  const way: Step[] = [
    { name: "sent", at: trace.sent_at },
    { name: "decided", at: trace.decided_at },
  ];
  return trace.stage === "ignored" ? way : [...way, { name: "in_crm", at: trace.stored_at }];
}

/** How to name a mail that can be logged by hand; `null` for one that is, or is on its way. */
export function byHand(trace: Trace): Which | null {
  if (trace.stage !== "ignored" && trace.stage !== "not_seen") return null;
  if (trace.message !== null) return { by: "message", message: trace.message };
  return trace.place === null ? null : { by: "place", place: trace.place };
}

/** The mails that were found; the notes that no mail is in Sent, or that the mailbox was not asked, are none. */
export function mails(traces: readonly Trace[]): Trace[] {
  return traces.filter((trace) => trace.stage !== "not_asked" && trace.stage !== "not_in_sent");
}
