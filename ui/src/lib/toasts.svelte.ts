/** Short notes at the window's edge; one that can be taken back carries the program's token. */
import type { Undo } from "./bindings";
import { api } from "./index";
import { said, type Said } from "./errors";
import { t } from "./i18n.svelte";

export type Toast = {
  id: number;
  text: string;
  undo: Undo | Back | null;
  error: Said | null;
  left: number;
  /** Its time runs whether it is looked at or not, and is shown: what it takes back happens then. */
  runs: boolean;
};
/** Takes back what carries no token. */
export type Back = () => Promise<unknown>;

/** How long a note stays, in milliseconds; the pointer or the focus on it holds it. */
export const STAYS = 12_000;

const list = $state<Toast[]>([]);
let layer = $state.raw<HTMLElement | null>(null);
let last = 0;

export const toasts = {
  get list(): readonly Toast[] {
    return list;
  },
  /** The dialog that is open: what is outside of it can be neither seen well nor pressed. */
  get layer(): HTMLElement | null {
    return layer;
  },
};

/** Shows the notes in this dialog until the function that it gives back is called. */
export function showToastsIn(dialog: HTMLElement): () => void {
  layer = dialog;
  return () => {
    if (layer === dialog) layer = null;
  };
}

function add(toast: Omit<Toast, "id" | "left">, stays = STAYS): void {
  last += 1;
  list.push({ ...toast, id: last, left: stays });
  if (list.length > 3) list.shift();
}

export function toast(text: string, undo: Undo | Back | null = null): void {
  add({ text, undo, error: null, runs: false });
}

/** What happens in `ms` can be taken back until then, and no longer. */
export function toastUntil(text: string, back: Back, ms: number): void {
  add({ text, undo: back, error: null, runs: true }, ms);
}

/** `title` names what did not work. */
export function toastError(title: string, error: unknown): void {
  add({ text: title, undo: null, error: said(title, error), runs: false });
}

/** Does it, and says that it is done, or why it is not; `undefined` where it is not. */
export async function attempt<T>(failed: string, doing: () => Promise<T>, done: string | ((value: T) => string) | null = null): Promise<T | undefined> {
  try {
    const value = await doing();
    if (done !== null) toast(typeof done === "string" ? done : done(value));
    return value;
  } catch (error) {
    toastError(failed, error);
    return undefined;
  }
}

export function dismiss(id: number): void {
  const at = list.findIndex((one) => one.id === id);
  if (at >= 0) list.splice(at, 1);
}

/** Takes `ms` from each note that is not held, and drops those whose time is over. */
export function age(ms: number, held: boolean): void {
  for (const one of list.filter((each) => each.runs || !held)) {
    one.left -= ms;
    if (one.left <= 0) dismiss(one.id);
  }
}

/** The newest that can be taken back, for the keyboard. */
export function newestToTakeBack(): Toast | undefined {
  return list.findLast((one) => one.undo !== null);
}

export async function takeBack(one: Toast): Promise<void> {
  if (one.undo === null) return;
  dismiss(one.id);
  try {
    await (typeof one.undo === "function" ? one.undo() : api().undo(one.undo.token));
    toast(t("toast.undone"));
  } catch (error) {
    toastError(t("toast.undo_failed"), error);
  }
}
