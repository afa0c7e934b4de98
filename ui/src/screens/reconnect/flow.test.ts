import { describe, expect, it, vi } from "vitest";
import type { Api } from "../../lib/api";
import type { Broken, CatchUp, CheckReport, News, Status } from "../../lib/bindings";
import { setLocale } from "../../lib/i18n.svelte";
import { setApi } from "../../lib/index";
import { countsText } from "./counts";
import { ReconnectFlow } from "./flow.svelte";

const ADDRESS = "ann@firm.example";
const STATUS: Status = { running: null, mailboxes: [], crms: [], unusable_crms: [] };
const broken: Broken = {
  draft: { address: ADDRESS, user: "ann", host: "imap.firm.example", port: 993, encryption: "tls", auth: { kind: "password" }, smtp: null, authority: null, fingerprint: null, smtp_fingerprint: null, sent_folder: null },
  reason: "password_changed", since: "2026-03-12T08:02:00Z", evidence: "[AUTHENTICATIONFAILED]", failed: "sign_in", advice: null, waiting: 3,
};
const fine: CheckReport = { steps: [], failed: null, same_mailbox: true, presented: null, presented_smtp: null, advice: null, folders: [] };

function program(more: Partial<Api> = {}) {
  const api = { broken: vi.fn(async () => broken), check: vi.fn(async () => fine), reconnect: vi.fn(async () => STATUS), ...more };
  setApi(api as Partial<Api> as Api);
  return api;
}

async function loaded(): Promise<ReconnectFlow> {
  const flow = new ReconnectFlow(ADDRESS);
  await flow.load();
  return flow;
}

const caughtUp = (more: Partial<CatchUp> = {}): News => ({ kind: "catch_up", progress: { address: ADDRESS, missed: 37, checked: 37, logged: 12, done: true, ...more } });

describe("the reconnect wizard", () => {
  it("opens with the fields filled and at the field to mend", async () => {
    program();
    const flow = await loaded();
    expect([flow.stage, flow.form.host, flow.field, flow.owner]).toEqual(["mend", "imap.firm.example", "password", "user"]);
  });

  it.each([
    ["dns_failure", "dns", "host", "nobody"],
    ["imap_disabled_by_admin", "sign_in", null, "administrator"],
    ["wrong_port_or_protocol", "greeting", "port", "user"],
  ] as const)("%s leads to its field and to who must act", async (reason, failed, field, owner) => {
    program({ broken: async () => ({ ...broken, reason, failed }) });
    const flow = await loaded();
    expect([flow.field, flow.owner]).toEqual([field, owner]);
  });

  it("asks for nothing where nothing is broken", async () => {
    program({ broken: async () => ({ ...broken, reason: null, failed: null, since: null, evidence: null }) });
    expect((await loaded()).field).toBeNull();
  });

  it("does not knock again with the password that was refused", async () => {
    const api = program();
    const flow = await loaded();
    await flow.go();
    expect([flow.stage, flow.problems.password]).toEqual(["mend", "missing"]);
    expect(api.check).not.toHaveBeenCalled();
  });

  it("uses the password of the keychain where it is not in doubt", async () => {
    const api = program({ broken: async () => ({ ...broken, reason: "dns_failure", failed: "dns" }) });
    const flow = await loaded();
    await flow.go();
    expect(api.check).toHaveBeenCalledWith(broken.draft, null, expect.any(Function));
    expect(api.reconnect).toHaveBeenCalledWith(broken.draft, null, false);
  });

  it("checks, connects, and follows the catch-up to its end", async () => {
    const api = program();
    const flow = await loaded();
    flow.password = "new";
    await flow.go();
    expect(api.reconnect).toHaveBeenCalledWith(broken.draft, "new", false);
    expect([flow.stage, flow.password]).toEqual(["catching_up", ""]);
    flow.hear(caughtUp({ checked: 9, logged: 2, done: false }));
    expect([flow.stage, flow.catchUp?.checked]).toEqual(["catching_up", 9]);
    flow.hear(caughtUp({ address: "bob@firm.example" }));
    expect(flow.stage).toBe("catching_up");
    flow.hear(caughtUp());
    expect([flow.stage, flow.gap]).toEqual(["done", 0]);
  });

  it("hears a catch-up that is over before the call comes back", async () => {
    const flow = new ReconnectFlow(ADDRESS);
    program({
      reconnect: async () => {
        flow.hear(caughtUp());
        return STATUS;
      },
    });
    await flow.load();
    flow.password = "new";
    await flow.go();
    expect(flow.stage).toBe("done");
  });

  it("takes no older catch-up for its own", async () => {
    program();
    const flow = await loaded();
    flow.hear(caughtUp());
    expect([flow.stage, flow.catchUp]).toEqual(["mend", null]);
  });

  it("refuses another mailbox and changes nothing", async () => {
    const api = program({ check: vi.fn(async () => ({ ...fine, same_mailbox: false })) });
    const flow = await loaded();
    flow.password = "new";
    await flow.go();
    expect(flow.stage).toBe("other");
    expect(api.reconnect).not.toHaveBeenCalled();
  });

  it("lets another mailbox take the old one's place where the person says so", async () => {
    const api = program({ check: vi.fn(async () => ({ ...fine, same_mailbox: false })) });
    const flow = await loaded();
    flow.password = "new";
    await flow.go();
    await flow.takePlace();
    expect(api.reconnect).toHaveBeenCalledWith(broken.draft, "new", true);
    expect([flow.stage, flow.password]).toEqual(["catching_up", ""]);
  });

  it("asks for the folder of sent mail, and connects with the one that is named", async () => {
    const unknown = { step: "sent" as const, state: "warning" as const, ms: 3, words: null, found: null, reason: "sent_folder_unknown" as const };
    const api = program({
      broken: async () => ({ ...broken, reason: "sent_folder_unknown" as const, failed: "sent" as const }),
      check: vi.fn<Api["check"]>(async (draft) => ({ ...fine, folders: ["Ausgang"], steps: draft.sent_folder === null ? [unknown] : [] })),
    });
    const flow = await loaded();
    await flow.go();
    expect(flow.stage).toBe("mend");
    expect(api.reconnect).not.toHaveBeenCalled();
    flow.form.sentFolder = "Ausgang";
    await flow.go();
    expect(api.reconnect).toHaveBeenCalledWith({ ...broken.draft, sent_folder: "Ausgang" }, null, false);
  });

  it("trusts the sending server's certificate for that server only", async () => {
    const draft = { ...broken.draft, smtp: { host: "smtp.firm.example", port: 465, encryption: "tls" as const } };
    const presented = { subject: "CN=smtp", issuer: "CN=own", expires: "2027-01-31T23:59:59Z", fingerprint: "ab".repeat(32) };
    const steps = [{ step: "smtp" as const, state: "failed" as const, ms: 3, words: null, found: null, reason: "tls_untrusted" as const }];
    const api = program({
      broken: async () => ({ ...broken, draft, reason: "tls_untrusted" as const, failed: "smtp" as const }),
      check: vi.fn<Api["check"]>(async (now) => (now.smtp_fingerprint === null ? { ...fine, steps, failed: "smtp", presented_smtp: presented } : fine)),
    });
    const flow = await loaded();
    await flow.go();
    expect(flow.mend).toBe("trust");
    await flow.trust();
    expect(api.reconnect).toHaveBeenCalledWith({ ...draft, smtp_fingerprint: presented.fingerprint }, null, false);
  });

  it("stays at the fields when the check fails, and follows what fails now", async () => {
    const steps = [{ step: "tls" as const, state: "failed" as const, ms: 3, words: null, found: null, reason: "tls_name_mismatch" as const }];
    const api = program({ check: vi.fn(async () => ({ ...fine, steps, failed: "tls" as const, same_mailbox: null })) });
    const flow = await loaded();
    flow.password = "new";
    await flow.go();
    expect([flow.stage, flow.mend, flow.owner, flow.password]).toEqual(["mend", "host", "administrator", "new"]);
    expect(api.reconnect).not.toHaveBeenCalled();
  });

  it("keeps what was entered when connecting is refused", async () => {
    const error = { code: "keychain_locked", message: "", next: null, values: {} };
    program({ reconnect: () => Promise.reject(error) });
    const flow = await loaded();
    flow.password = "new";
    await flow.go();
    expect([flow.stage, flow.error, flow.password]).toEqual(["mend", error, "new"]);
  });

  it("waits for the browser where the mailbox is signed in to there", async () => {
    const draft = { ...broken.draft, auth: { kind: "oauth" as const, provider: "google" as const } };
    const api = program({
      broken: async () => ({ ...broken, draft, reason: "access_revoked" as const, failed: "sign_in" as const }),
      signIn: async () => {},
    });
    const flow = await loaded();
    await flow.go();
    expect([flow.stage, flow.problems.password]).toEqual(["mend", "missing"]);
    expect(await flow.browser.begin(ADDRESS, "google")).toBe(true);
    await flow.go();
    expect(api.reconnect).toHaveBeenCalledWith(draft, null, false);
  });

  it("wants the new secret where the way of signing in is another one", async () => {
    const api = program({ broken: async () => ({ ...broken, reason: "dns_failure" as const, failed: "dns" as const }) });
    const flow = await loaded();
    flow.form.oauth = "google";
    await flow.go();
    expect([flow.stage, flow.problems.password]).toEqual(["mend", "missing"]);
    expect(api.check).not.toHaveBeenCalled();
    flow.form.oauth = null;
    await flow.go();
    expect(flow.problems).toEqual({});
  });

  it("says what it could not find out", async () => {
    program({ broken: () => Promise.reject({ code: "mailbox_missing" }) });
    expect((await loaded()).stage).toBe("unknown");
  });

  it("counts what was missed and not checked", async () => {
    program();
    const flow = await loaded();
    flow.password = "new";
    await flow.go();
    flow.hear(caughtUp({ checked: 35 }));
    expect(flow.gap).toBe(2);
  });
});

describe("countsText", () => {
  const at = (missed: number): CatchUp => ({ address: ADDRESS, missed, checked: missed, logged: Math.min(missed, 12), done: true });

  it("ends as the person expects it, in both languages", async () => {
    expect(countsText(at(37))).toBe("37 missed, 37 checked, 12 logged");
    expect(countsText(at(1))).toBe("1 missed, 1 checked, 1 logged");
    expect(countsText(at(0))).toBe("Nothing was missed.");
    await setLocale("de");
    expect(countsText(at(1204))).toBe("1.204 verpasst, 1.204 geprüft, 12 protokolliert");
    expect(countsText(at(0))).toBe("Es wurde nichts verpasst.");
  });
});
