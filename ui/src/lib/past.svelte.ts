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

/** One is asked about after the other. */
let offers = $state.raw<Offer[]>([]);

export const past = {
  get offer(): Offer | null {
    return offers[0] ?? null;
  },
};

/** Asks about it, where anything was logged. */
export async function offerPast(account: string, whom: string[]): Promise<void> {
  try {
    const found = await Promise.all(whom.map((who) => api().pastOf(account, who)));
    const records = found.flatMap((one) => one.in_crm);
    const messages = found.reduce((sum, one) => sum + one.messages, 0);
    const removable = records.filter((one) => one.removable).length;
    const logged = whom.filter((_, at) => (found[at]?.messages ?? 0) > 0);
    if (messages > 0) offers = [...offers, { account, whom: logged, messages, removable, staying: records.length - removable }];
  } catch (error) {
    // The rule is set all the same.
    toastError(t("past.not_read"), error);
  }
}

export function leavePast(): void {
  offers = offers.slice(1);
}

/** How many messages were taken out, what takes that back, and why not all were where one failed. */
export type Taken = { messages: number; back: () => Promise<void>; failed: unknown };

/** Fails where nothing was taken out. */
export async function takePast(of: Offer, inCrm: boolean): Promise<Taken> {
  const taken: Undo[] = [];
  let messages = 0;
  let failed: unknown = null;
  for (const who of of.whom) {
    try {
      const forgotten = await api().forgetLogged(of.account, who, inCrm);
      messages += forgotten.messages;
      if (forgotten.undo !== null) taken.push(forgotten.undo);
    } catch (error) {
      if (messages === 0) throw error;
      failed = error;
      break;
    }
  }
  const back = async (): Promise<void> => {
    const outcomes: PromiseSettledResult<unknown>[] = [];
    for (const one of taken.reverse()) outcomes.push(...(await Promise.allSettled([api().undo(one.token)])));
    const not = outcomes.find((one) => one.status === "rejected");
    if (not !== undefined) throw not.reason;
  };
  return { messages, back, failed };
}
