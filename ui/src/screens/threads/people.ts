/** Names and addresses of people, and the state of a conversation, in words. */
import type { Association, CrmState, Mailbox, ThreadLine, ThreadState } from "../../lib/bindings";
import { has, t } from "../../lib/i18n.svelte";
import { plain } from "../../lib/plain";
import type { Tone } from "../../lib/state";

type Person = Mailbox | Association;

/** The name, else the address. */
export function called(person: Person): string {
  return plain(person.name ?? "") || plain(person.address);
}

/** The first people by name, and how many more there are. */
export function people(all: readonly Person[], most = 3): { names: string; more: number } {
  return { names: all.slice(0, most).map(called).join(", "), more: Math.max(0, all.length - most) };
}

export function subjectOf(subject: string | null): string {
  return plain(subject ?? "") || t("threads.no_subject");
}

/** The part behind the `@`. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

export const STATE_TONE: Record<ThreadState, Tone> = {
  awaiting_reply: "warn", replied: "ok", received: "busy", bounced: "bad", out_of_office: "idle",
};

/** The CRM's name; of one that this program does not know yet, its code. */
export function crmName(sink: string): string {
  const key = `crm.kind.${sink}`;
  return has(key) ? t(key) : sink;
}

export type Delivery = { tone: Tone; text: string };

/** How far a message is on its way to a CRM. */
export function delivery(crm: Pick<CrmState, "sink" | "state">): Delivery {
  const name = crmName(crm.sink);
  switch (crm.state) {
    case "done":
      return { tone: "ok", text: t("threads.crm.done", { crm: name }) };
    case "set_aside":
      return { tone: "bad", text: t("threads.crm.set_aside", { crm: name }) };
    case "abandoned":
      return { tone: "idle", text: t("threads.crm.abandoned", { crm: name }) };
    default:
      return { tone: "busy", text: t("threads.crm.waiting", { crm: name }) };
  }
}

/** The gravest of a conversation's deliveries; `null` where nothing goes to a CRM. */
export function deliveryOf(line: Pick<ThreadLine, "crm">): Delivery | null {
  const order = ["done", "leased", "waiting", "set_aside"];
  const rank = (state: string) => order.indexOf(state);
  const worst = [...line.crm].sort((a, b) => rank(b.state) - rank(a.state))[0];
  return worst === undefined ? null : delivery(worst);
}
