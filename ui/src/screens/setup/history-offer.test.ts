import { describe, expect, it } from "vitest";
import type { Api } from "../../lib/api";
import type { DryRun } from "../../lib/bindings";
import { setApi } from "../../lib/index";
import { sortedRules } from "../../lib/reason";
import { DAYS, HistoryOffer } from "./history-offer.svelte";

const trial: DryRun = { days: DAYS, seen: 3, log: 2, ask: 0, ignore: 1, by_rule: [], lines: [] };

describe("HistoryOffer", () => {
  it("looks, and reads only when told to", async () => {
    const read: number[] = [];
    setApi({
      dryRun: async (_address: string, days: number, at: (progress: { folder: string; seen: number; of: number }) => void) => {
        at({ folder: "INBOX", seen: 1, of: 3 });
        return { ...trial, days };
      },
      readHistory: async (_address: string, days: number) => {
        read.push(days);
        return { seen: 3, logged: 2, asked: 0 };
      },
    } as Partial<Api> as Api);
    const offer = new HistoryOffer("ann@firm.example");
    await offer.look();
    expect([offer.state, offer.trial?.log, read.length]).toEqual(["looked", 2, 0]);
    await offer.read();
    expect([offer.state, offer.done?.logged, read]).toEqual(["read", 2, [DAYS]]);
  });

  it("goes back to where it was when it is refused", async () => {
    setApi({ dryRun: () => Promise.reject({ code: "server_unavailable" }), readHistory: () => Promise.reject({ code: "server_unavailable" }) } as Partial<Api> as Api);
    const offer = new HistoryOffer("ann@firm.example");
    await offer.look();
    expect([offer.state, offer.error]).toEqual(["asked", { code: "server_unavailable" }]);
    offer.trial = trial;
    await offer.read();
    expect(offer.state).toBe("looked");
  });
});

it("what is logged comes first, then what is asked, the most of each first", () => {
  const counts = [
    { rule: "newsletter", outcome: "ignore", count: 90 }, { rule: "unknown_recipient", outcome: "ask", count: 4 },
    { rule: "sent_in_logged_thread", outcome: "log", count: 2 }, { rule: "sent_to_contact", outcome: "log", count: 8 },
  ] as const;
  expect(sortedRules(counts).map((one) => one.rule)).toEqual(["sent_to_contact", "sent_in_logged_thread", "unknown_recipient", "newsletter"]);
});
