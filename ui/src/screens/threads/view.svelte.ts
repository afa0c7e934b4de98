/** What the Threads screen shows: which of its two lists, and the question that makes the first one. */
import type { ThreadQuery, ThreadState } from "../../lib/bindings";
import { go } from "../../lib/router.svelte";

export type List = "conversations" | "questions";
/** The states of a conversation, and those that wait for so many days. */
export type Shown = "all" | ThreadState | "silent_3" | "silent_7" | "silent_14";
export const SHOWN: readonly Shown[] = [
  "all", "awaiting_reply", "silent_3", "silent_7", "silent_14", "replied", "received", "bounced", "out_of_office",
];

export type View = { list: List; search: string; account: string; /** An address, or what was typed of one. */ contact: string; direction: "" | "outgoing" | "incoming"; shown: Shown };

const EVERYTHING: View = { list: "conversations", search: "", account: "", contact: "", direction: "", shown: "all" };

export const view = $state<View>({ ...EVERYTHING });

/** Opens the questions: from other screens. */
export function showQuestions(): void {
  Object.assign(view, EVERYTHING, { list: "questions" });
  go({ to: "threads", thread: null });
}

export function clearFilters(): void {
  Object.assign(view, EVERYTHING, { list: view.list });
}

export function isFiltered(of: View): boolean {
  return of.search.trim() !== "" || of.account !== "" || contactOf(of) !== null || of.direction !== "" || of.shown !== "all";
}

/** Whose conversations are wanted: only a whole address names somebody. */
export function contactOf(of: View): string | null {
  const typed = of.contact.trim().toLowerCase();
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(typed) ? typed : null;
}

/** Shows the conversations with somebody. */
export function showContact(address: string): void {
  Object.assign(view, EVERYTHING, { contact: address });
}

/** The question to the program, for a page of the list. */
export function toQuery(of: View, offset: number, limit: number): ThreadQuery {
  const silent = of.shown.startsWith("silent_") ? Number(of.shown.slice("silent_".length)) : null;
  return {
    search: of.search.trim() === "" ? null : of.search.trim(),
    account: of.account === "" ? null : of.account,
    contact: contactOf(of),
    state: of.shown === "all" || silent !== null ? null : (of.shown as ThreadState),
    direction: of.direction === "" ? null : of.direction,
    silent_days: silent,
    offset,
    limit,
  };
}
