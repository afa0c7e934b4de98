/** How a mail that goes out stands, in one word for its badge, and what can be done about it. */
import type { SendLine } from "../../lib/bindings";

export type Standing = "going" | "scheduled" | "delayed" | "submitting" | "sent" | "sent_partly" | "refused" | "unknown" | "cancelled";
export type Deed = "cancel" | "again" | "confirm" | "copy";

/** Longest time that a mail waits which is not to go later. */
const AT_ONCE = 20_000;

export function standing(of: SendLine): Standing {
  if (of.state === "waiting") {
    if (of.words !== null) return "delayed";
    return Date.parse(of.due) - Date.parse(of.created_at) > AT_ONCE ? "scheduled" : "going";
  }
  return of.state === "sent" && of.refused.length > 0 ? "sent_partly" : of.state;
}

export const TONE: Record<Standing, "ok" | "busy" | "warn" | "bad" | "idle"> = {
  going: "busy", scheduled: "idle", delayed: "warn", submitting: "busy", sent: "ok", sent_partly: "warn", refused: "bad", unknown: "warn", cancelled: "idle",
};

export function deeds(of: SendLine): Deed[] {
  switch (of.state) {
    case "waiting":
      return ["cancel"];
    case "refused":
      return ["again"];
    case "unknown":
      return ["confirm", "again"];
    case "sent":
      return of.copy === "failed" ? ["copy"] : [];
    default:
      return [];
  }
}

/** Somebody must look at it: nobody knows whether it was sent, or its copy could not be filed. */
export function isOpen(of: SendLine): boolean {
  return of.state === "unknown" || of.copy === "failed";
}

/** What the server answered; `null` where the words are the program's own, which says the same by state and reason. */
export function answer(of: SendLine): string | null {
  return of.state !== "sent" && of.words !== null && /^\d{3}[ -]/.test(of.words) ? of.words : null;
}

/** The program's own words, where no reason says the same in the person's language. */
export function note(of: SendLine): string | null {
  return of.state !== "sent" && of.state !== "unknown" && of.reason === null && answer(of) === null ? of.words : null;
}
