import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Api } from "../../lib/api";
import type { Candidate, CheckReport, Discovery, News, Pop3Found, Status } from "../../lib/bindings";
import { setClock } from "../../lib/clock.svelte";
import { setApi } from "../../lib/index";
import { LONG } from "./first-mail.svelte";
import { SetupFlow } from "./flow.svelte";

const STATUS: Status = { running: null, mailboxes: [], crms: [], unusable_crms: [] };
const found: Candidate = {
  imap: { host: "imap.firm.example", port: 993, encryption: "tls" }, smtp: { host: "smtp.firm.example", port: 465, encryption: "tls" },
  user: "ann@firm.example", source: "provider_table", provider: null, hint: null, help: null, trusted: true, doubts: [],
};
const DOUBTFUL: Candidate = { ...found, trusted: false, doubts: ["plain_http"] };
const POP3: Pop3Found = {
  sign: "answer", host: "pop.firm.example", port: 995, imap: { host: "imap.firm.example", port: 143, encryption: "starttls" }, trusted: true,
};

function answer(address: string, candidates: Candidate[], pop3: Pop3Found | null = null): Discovery {
  return { address, candidates, pop3, asked: [] };
}

const fine: CheckReport = { steps: [], failed: null, same_mailbox: null, presented: null, presented_smtp: null, advice: null, folders: [] };
const HUBSPOT = { kind: "hubspot" } as Status["crms"][number];

function program(more: Partial<Api> = {}) {
  const api = {
    discover: vi.fn(async (address: string) => answer(address, [found])),
    check: vi.fn(async () => fine),
    tryCrm: vi.fn(async () => null),
    setCrm: vi.fn(async () => STATUS),
    removeCrm: vi.fn(async () => STATUS),
    addMailbox: vi.fn(async () => STATUS),
    folders: vi.fn(async () => [{ name: "INBOX", role: "inbox" as const }, { name: "Sent", role: "sent" as const }]),
    ...more,
  };
  setApi(api as Partial<Api> as Api);
  return api;
}

async function toAccount(flow: SetupFlow): Promise<void> {
  flow.form.address = "ann@firm.example";
  expect(await flow.discover()).toBe(true);
}

async function toCheck(flow: SetupFlow): Promise<void> {
  await toAccount(flow);
  flow.password = "secret";
  expect(flow.account()).toBe(true);
  expect(await flow.toCheck()).toBe(true);
  await vi.waitFor(() => expect(flow.check.report).not.toBeNull());
}

let now = 1_000_000;
beforeEach(() => {
  now = 1_000_000;
  setClock(() => now);
});

describe("a provider that signs people in with the browser", () => {
  it("is not gone past before the person has signed in, and is given no password", async () => {
    const at = { ...found, imap: { ...found.imap, host: "outlook.office365.com" }, hint: "oauth_only" as const };
    const api = program({ discover: async (address: string) => answer(address, [at]), signIn: async () => {} });
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    expect([flow.form.oauth, flow.account(), flow.problems.password]).toEqual(["microsoft", false, "missing"]);
    await flow.browser.begin("ann@firm.example", "microsoft");
    expect(flow.account()).toBe(true);
    await flow.toCheck();
    await vi.waitFor(() => expect(flow.check.report).not.toBeNull());
    await flow.connect();
    expect(api.addMailbox).toHaveBeenCalledWith(flow.draft, null, "known_contacts");
    expect(flow.draft.auth).toEqual({ kind: "oauth", provider: "microsoft" });
  });
});

describe("step 1", () => {
  it("refuses what is no address, and asks nobody", async () => {
    const api = program();
    const flow = new SetupFlow("/data");
    flow.form.address = "ann";
    expect(await flow.discover()).toBe(false);
    expect([flow.step, flow.problems.address]).toEqual(["address", "address"]);
    expect(api.discover).not.toHaveBeenCalled();
  });

  it("keeps all that was entered when the person goes back and on again", async () => {
    const api = program();
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    flow.password = "secret";
    flow.form.user = "ann.k";
    flow.back();
    expect(flow.step).toBe("address");
    await flow.discover();
    expect([flow.step, flow.password, flow.form.user]).toEqual(["account", "secret", "ann.k"]);
    expect(api.discover).toHaveBeenCalledTimes(1);
  });

  it("forgets the password of another address", async () => {
    program();
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    flow.password = "secret";
    flow.back();
    flow.form.address = "bob@other.example";
    await flow.discover();
    expect(flow.password).toBe("");
  });

  it("goes on by hand where nothing can be asked", async () => {
    const error = { code: "local_offline", message: "", next: null, values: {} };
    program({ discover: () => Promise.reject(error) });
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    expect([flow.step, flow.candidate, flow.form.host, flow.discoverError]).toEqual(["account", null, "", error]);
  });

  it("does not follow an answer that comes after Cancel", async () => {
    let say: (found: Discovery) => void = () => undefined;
    program({ discover: () => new Promise((done) => (say = done)) });
    const flow = new SetupFlow("/data");
    flow.form.address = "ann@firm.example";
    const asked = flow.discover();
    flow.stopDiscovering();
    say(answer("ann@firm.example", [found]));
    expect(await asked).toBe(false);
    expect([flow.step, flow.discovering]).toEqual(["address", false]);
  });
});

describe("what is set up already", () => {
  it("is not set up a second time", async () => {
    const api = program();
    const flow = new SetupFlow("/data");
    flow.know({ ...STATUS, mailboxes: [{ address: "Ann@firm.example" } as Status["mailboxes"][number]] });
    flow.form.address = "ann@firm.example";
    expect(await flow.discover()).toBe(false);
    expect(flow.problems.address).toBe("known");
    expect(api.discover).not.toHaveBeenCalled();
  });

  it("changes nothing under the person's hands once the CRM is chosen", async () => {
    program();
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    flow.password = "secret";
    flow.account();
    flow.know({ ...STATUS, crms: [HUBSPOT] });
    expect(flow.crm.kind).toBe("folder");
  });
});

describe("step 2", () => {
  it("sends no password to servers of a doubtful answer before they are confirmed", async () => {
    program({ discover: async (address) => answer(address, [DOUBTFUL]) });
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    flow.password = "secret";
    expect(flow.doubtful).toEqual(["imap.firm.example", "smtp.firm.example"]);
    expect(flow.account()).toBe(false);
    expect(flow.unconfirmed).toBe(true);
    flow.confirmed = true;
    expect(flow.account()).toBe(true);
  });

  it("asks no confirmation of servers that the person typed", async () => {
    program({ discover: async (address) => answer(address, [DOUBTFUL]) });
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    Object.assign(flow.form, { host: "mail.mine.example", sending: false });
    expect(flow.doubtful).toEqual([]);
  });

  it("wants a new confirmation when another answer is chosen", async () => {
    program({ discover: async (address) => answer(address, [DOUBTFUL, { ...DOUBTFUL, imap: { ...found.imap, host: "mail.evil.example" } }]) });
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    flow.confirmed = true;
    flow.choose(1);
    flow.password = "secret";
    expect(flow.account()).toBe(false);
  });

  it("shows the POP3 server of a domain that has no other, and takes the IMAP server beside it", async () => {
    program({ discover: async (address) => answer(address, [], POP3) });
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    expect([flow.form.host, flow.form.port, flow.candidate]).toEqual(["pop.firm.example", "995", null]);
    flow.takeImap(POP3);
    expect([flow.form.host, flow.form.port, flow.form.encryption]).toEqual(["imap.firm.example", "143", "starttls"]);
    expect(flow.doubtful).toEqual([]);
    flow.password = "secret";
    expect(flow.account()).toBe(true);
  });

  it("asks about the IMAP server that stands beside a doubtful POP3 one", async () => {
    const evil = { ...POP3, imap: { host: "imap.evil.example", port: 993, encryption: "tls" as const }, trusted: false };
    program({ discover: async (address) => answer(address, [], evil) });
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    flow.takeImap(evil);
    flow.password = "secret";
    expect(flow.doubtful).toEqual(["imap.evil.example"]);
    expect(flow.account()).toBe(false);
  });

  it("stays with POP3 where there is nothing beside it", async () => {
    program({ discover: async (address) => answer(address, [], { ...POP3, imap: null, trusted: false }) });
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    flow.takeImap({ ...POP3, imap: null, trusted: false });
    flow.password = "secret";
    expect(flow.account()).toBe(false);
    expect(flow.problems.port).toBe("pop3");
  });

  it("refuses POP3", async () => {
    program();
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    flow.password = "secret";
    flow.form.port = "995";
    expect(flow.account()).toBe(false);
    expect([flow.step, flow.problems.port]).toEqual(["account", "pop3"]);
  });
});

describe("step 3", () => {
  it("is not left while the CRM refuses, and tries again only what was changed", async () => {
    const api = program({ tryCrm: vi.fn(async (_crm, secret) => (secret === "wrong" ? Promise.reject({ code: "crm_token_rejected" }) : null)) });
    const flow = new SetupFlow("/data");
    await toAccount(flow);
    flow.password = "secret";
    flow.account();
    flow.crm.kind = "hubspot";
    flow.crm.token = "wrong";
    expect(await flow.toCheck()).toBe(false);
    expect([flow.step, flow.crmTried]).toEqual(["crm", false]);
    flow.crm.token = "right";
    flow.crmChanged();
    expect(await flow.tryCrm()).toBe(true);
    expect(await flow.toCheck()).toBe(true);
    expect(api.tryCrm).toHaveBeenCalledTimes(2);
  });

  it("does not try or set again what is set", async () => {
    const api = program();
    const flow = new SetupFlow("/data");
    flow.know({ ...STATUS, crms: [HUBSPOT] });
    await toCheck(flow);
    expect(api.tryCrm).not.toHaveBeenCalled();
    expect(api.setCrm).not.toHaveBeenCalled();
  });

  it("takes back the CRM that this set-up has set when another is chosen", async () => {
    const api = program();
    const flow = new SetupFlow("/data");
    await toCheck(flow);
    flow.back("crm");
    flow.crm.kind = "ledger";
    flow.crmChanged();
    await flow.toCheck();
    await vi.waitFor(() => expect(api.removeCrm).toHaveBeenCalledWith("folder"));
    expect(api.setCrm).toHaveBeenLastCalledWith({ kind: "ledger" }, null);
  });
});

describe("step 4", () => {
  it("adds the mailbox only when the person says so, once, and forgets the secrets", async () => {
    const api = program();
    const flow = new SetupFlow("/data");
    await toCheck(flow);
    expect(api.addMailbox).not.toHaveBeenCalled();
    await flow.connect();
    expect(api.addMailbox).toHaveBeenCalledWith(expect.objectContaining({ host: "imap.firm.example" }), "secret", "known_contacts");
    expect([flow.stage, flow.password, flow.crm.token]).toEqual(["mail", "", ""]);
    flow.back("account");
    expect(flow.step).toBe("check");
  });

  it("adds it with the log mode, and tries again where that failed", async () => {
    const addMailbox = vi.fn<Api["addMailbox"]>().mockRejectedValueOnce({ code: "ledger_busy" }).mockResolvedValue(STATUS);
    program({ addMailbox });
    const flow = new SetupFlow("/data");
    flow.mode = "only_when_i_say";
    await toCheck(flow);
    await flow.connect();
    expect([flow.stage, flow.connectError]).toEqual(["check", { code: "ledger_busy" }]);
    await flow.connect();
    expect(flow.stage).toBe("mail");
    expect(addMailbox).toHaveBeenLastCalledWith(expect.objectContaining({ address: "ann@firm.example" }), "secret", "only_when_i_say");
  });

  it("trusts the certificate that was shown, for this server only", async () => {
    const presented = { subject: "CN=x", issuer: "CN=y", expires: "2027-01-01T00:00:00Z", fingerprint: "ab12" };
    const check = vi.fn<Api["check"]>(async (draft) => (draft.fingerprint === null ? { ...fine, steps: [{ step: "tls", state: "failed", ms: 1, words: null, found: null, reason: "tls_untrusted" }], failed: "tls", presented } : fine));
    program({ check });
    const flow = new SetupFlow("/data");
    await toCheck(flow);
    expect(flow.mend).toBe("trust");
    await flow.trust();
    expect(check.mock.lastCall?.[0].fingerprint).toBe("ab12");
    expect(flow.check.fine).toBe(true);
    flow.form.host = "other.firm.example";
    expect(flow.draft.fingerprint).toBeNull();
  });

  it("goes on without sending", async () => {
    const check = vi.fn<Api["check"]>(async (draft) => (draft.smtp === null ? fine : { ...fine, steps: [{ step: "smtp", state: "failed", ms: 1, words: null, found: null, reason: "smtp_auth_disabled" }], failed: "smtp" }));
    program({ check });
    const flow = new SetupFlow("/data");
    await toCheck(flow);
    expect(flow.mend).toBe("without_smtp");
    await flow.withoutSmtp();
    expect(flow.check.fine).toBe(true);
  });
});

describe("the first mail", () => {
  const entry = { id: 1, at: "", kind: "decided", of: "ann@firm.example", direction: "outgoing", outcome: "log", subject: "Offer" };
  const news = (more: object = {}) => ({ kind: "activity", entry: { ...entry, ...more } }) as unknown as News;

  it("is an outgoing one of this mailbox, and its time is kept", async () => {
    program();
    const flow = new SetupFlow("/data");
    await toCheck(flow);
    await flow.connect();
    now += 4000;
    for (const other of [{ direction: "incoming" }, { of: "bob@firm.example" }, { kind: "pushed" }]) flow.hear(news(other));
    expect(flow.mail?.found).toBeNull();
    flow.hear(news());
    now += 60_000;
    flow.hear(news({ subject: "A second one" }));
    expect([flow.mail?.found?.subject, flow.mail?.took]).toEqual(["Offer", 4000]);
  });

  it("is late after a minute, and not once it is there", async () => {
    program();
    const flow = new SetupFlow("/data");
    await toCheck(flow);
    await flow.connect();
    expect(flow.mail?.late(now + LONG - 1)).toBe(false);
    expect(flow.mail?.late(now + LONG)).toBe(true);
    flow.hear(news());
    expect(flow.mail?.late(now + LONG)).toBe(false);
  });

  it("is awaited in the folders for sent mail, and also where they cannot be named", async () => {
    program();
    const flow = new SetupFlow("/data");
    await toCheck(flow);
    await flow.connect();
    expect(flow.mail?.folders.map((one) => one.name)).toEqual(["Sent"]);
    program({ folders: () => Promise.reject({ code: "server_unavailable" }) });
    await flow.mail?.begin();
    expect(flow.mail?.folders).toEqual([]);
  });
});
