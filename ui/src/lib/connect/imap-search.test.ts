import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Api } from "../api";
import type { Pop3Found } from "../bindings";
import { setApi } from "../index";
import { ImapSearch } from "./imap-search.svelte";

const FOUND: Pop3Found = {
  sign: "port", host: "mail.firm.example", port: 995, imap: { host: "mail.firm.example", port: 993, encryption: "tls" }, trusted: true,
};

function program(imapBeside: Api["imapBeside"]) {
  const asked = vi.fn(imapBeside);
  setApi({ imapBeside: asked } as Partial<Api> as Api);
  return asked;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("the search for IMAP beside POP3", () => {
  it("asks once, when the typing rests", async () => {
    const asked = program(async () => FOUND);
    const search = new ImapSearch();
    search.about("mail.firm.exampl", "995");
    search.about("mail.firm.example", "995");
    search.about(" mail.firm.example", "995 ");
    expect(search.looking).toBe(true);
    await vi.runAllTimersAsync();
    expect(asked.mock.calls).toEqual([["mail.firm.example", 995]]);
    expect([search.looking, search.found]).toEqual([false, FOUND]);
  });

  it("does not show what was found for another server", async () => {
    let answer: (found: Pop3Found) => void = () => undefined;
    program(() => new Promise((done) => (answer = done)));
    const search = new ImapSearch();
    search.about("mail.firm.example", "995");
    await vi.runAllTimersAsync();
    search.about("pop.other.example", "995");
    answer(FOUND);
    await vi.advanceTimersByTimeAsync(1);
    expect([search.looking, search.found]).toEqual([true, null]);
  });

  it("says that it could not ask, and asks nobody after its end", async () => {
    const asked = program(() => Promise.reject({ code: "x" }));
    const search = new ImapSearch();
    search.about("mail.firm.example", "995");
    await vi.runAllTimersAsync();
    expect([search.looking, search.error]).toEqual([false, { code: "x" }]);
    search.about("pop.other.example", "995");
    search.stop();
    await vi.runAllTimersAsync();
    expect(asked).toHaveBeenCalledTimes(1);
  });
});
