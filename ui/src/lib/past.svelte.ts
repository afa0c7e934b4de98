/** What was logged before with somebody who is never to be logged: offered to be taken out, too. */
import type { Undo } from "./bindings";
import { t } from "./i18n.svelte";
import { api } from "./index";
import { toastError } from "./toasts.svelte";

export type Offer = {
  account: string;
  /** Addresses, or domains behind `@`. */
  whom: string[];
  messages: number;
  /** Records in the CRM that Threadline can remove there. */
  removable: number;
  /** Records in the CRM that stay. */
  staying: number;
};

let offer = $state.raw<Offer | null>(null);

export const past = {
  get offer(): Offer | null {
    return offer;
  },
};

/** Asks about it, where anything was logged. */
export async function offerPast(account: string, whom: string[]): Promise<void> {
  try {
    const found = await Promise.all(whom.map((who) => api().pastOf(account, who)));
    const records = found.flatMap((one) => one.in_crm);
    const messages = found.reduce((sum, one) => sum + one.messages, 0);
    const removable = records.filter((one) => one.removable).length;
    if (messages > 0) offer = { account, whom: whom.filter((_, at) => (found[at]?.messages ?? 0) > 0), messages, removable, staying: records.length - removable };
  } catch (error) {
    // The rule is set all the same.
    toastError(t("past.not_read"), error);
  }
}

export function leavePast(): void {
  offer = null;
}

/** Gives how many messages were taken out, and what takes that back. */
export async function takePast(of: Offer, inCrm: boolean): Promise<{ messages: number; back: () => Promise<void> }> {
  const taken: Undo[] = [];
  let messages = 0;
  for (const who of of.whom) {
    const forgotten = await api().forgetLogged(of.account, who, inCrm);
    messages += forgotten.messages;
    if (forgotten.undo !== null) taken.push(forgotten.undo);
  }
  const back = async (): Promise<void> => {
    for (const one of taken.reverse()) await api().undo(one.token);
  };
  return { messages, back };
}
