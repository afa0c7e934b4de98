/**
 * A made-up engine behind the program's calls, for `npm run dev`, tests and pictures. Never in the product's build.
 *
 * `?scene=` empty, healthy, broken, offline, paused, held, keychain, busy, many, hostile, heavy, starting, stopped, notray, damaged, mute;
 * `theme=` light, dark; `lang=` en, de; `clock=` a time in RFC 3339 at which everything stands still; `case=` a
 * turn of `cases.ts`.
 */
import type { Api } from "../api";
import type { AppError, Decided, InCrm, MailboxDraft, MailboxStatus, Status } from "../bindings";
import { setClock } from "../clock.svelte";
import * as activity from "./activity";
import { withCase } from "./cases";
import { check } from "./check";
import { bundle, logLines } from "./diagnostics";
import { html } from "./html";
import { ANN, mailbox, PEOPLE, person } from "./people";
import * as proof from "./proof";
import { beside, discovery, draftFor, dryRun, FOLDERS, rules } from "./setup";
import { sending } from "./sending";
import { status } from "./status";
import { SENT, UNKNOWN } from "./texts";
import { ago, DAY, HOUR, now, PRESENT, wait } from "./time";
import { world, type World } from "./world";

function refuse(code: string, message: string, next: string | null = null, values: Record<string, string> = {}): never {
  const error: AppError = { code, message, next, values };
  throw error;
}

/** A deep copy: as over Tauri, no screen can change the program's memory. */
function copy<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}

function box(w: World, address: string): MailboxStatus {
  return w.status.mailboxes.find((one) => one.address === address) ?? refuse("mailbox_missing", `There is no mailbox ${address}.`);
}

function changed(w: World): Status {
  w.tell({ kind: "status" });
  return copy(w.status);
}

/** As if a sound connection had come about. */
function heal(w: World, address: string): void {
  const sound = status("healthy").mailboxes[0];
  const at = w.status.mailboxes.findIndex((one) => one.address === address);
  if (sound === undefined) return;
  const next = { ...sound, address, channels: sound.channels.map((one) => ({ ...one, since: ago(0) })) };
  if (at < 0) w.status.mailboxes.push(next);
  else w.status.mailboxes[at] = next;
  for (const one of w.outages) if (one.of === address && one.until === null) one.until = ago(0);
}

/** What the CRM has of somebody: one record it made itself. */
function records(): InCrm[] {
  return [0, 1, 2, 3, 4, 5].map((n) => ({ message: 300 + n, sink: "hubspot", remote_id: String(9000 + n), link: null, removable: n > 0 }));
}

function questions(w: World): Decided[] {
  if (w.scene === "empty" || w.status.mailboxes.length === 0) return [];
  return UNKNOWN.map((who, n): Decided => ({
    message: 9000 + n, account: ANN.address, decided_at: ago((n + 1) * HOUR), date: ago((n + 1) * HOUR), direction: n === 2 ? "incoming" : "outgoing",
    outcome: "ask", rule: n === 2 ? "new_from_contact" : n === 1 ? "stranger_in_thread" : "unknown_recipient", why: "", folder: n === 2 ? "INBOX" : "Sent",
    subject: who.subject, from: n === 2 ? { name: who.name, address: who.address } : ANN, to: n === 2 ? [ANN] : [{ name: who.name, address: who.address }], thread: null,
  })).filter((one) => !w.answered.has(one.message));
}

async function catchUp(w: World, address: string): Promise<void> {
  const pause = w.still ? 0 : 450;
  for (const checked of [0, 9, 21, 30, 37]) {
    await wait(pause);
    w.tell({ kind: "catch_up", progress: { address, missed: 37, checked, logged: Math.floor(checked / 3), done: checked === 37 } });
  }
}

export function fakeApi(params: URLSearchParams): Api {
  const fixed = params.get("clock");
  const start = Date.parse(fixed ?? PRESENT);
  const begun = Date.now();
  setClock(fixed === null ? () => start + Date.now() - begun : () => start);
  const w = world(params, fixed !== null);
  const turn = params.get("case");
  const latency = w.still ? 0 : 60;
  const later = <T>(make: () => T): Promise<T> => wait(latency).then(make).then(copy);

  if (!w.still && w.app.engine.state === "running" && w.status.mailboxes.length > 0) {
    const beat = w.scene === "busy" ? 700 : 3500;
    setInterval(() => {
      w.newestActivity += 1;
      w.newestLog += 1;
      w.tell({ kind: "activity", entry: activity.entry(w.newestActivity, activity.justNow()) });
    }, beat);
  }

  const api: Api = {
    app: () => later(() => (w.scene === "mute" ? refuse("engine_silent", "The program did not answer within ten seconds.", "Close the window and open it again.") : w.app)),
    setAppSettings: (settings) =>
      later(() => {
        const locale = settings.language === "system" ? (navigator.language.startsWith("de") ? "de" : "en") : settings.language;
        w.app = { ...w.app, settings, locale };
        w.tell({ kind: "app" });
        return w.app;
      }),
    restartEngine: () =>
      wait(w.still ? 0 : 900).then(() => {
        if (w.scene !== "held") w.app.engine = { state: "running" };
        w.tell({ kind: "app" });
        return copy(w.app);
      }),
    onNews(hear) {
      w.hear.add(hear);
      return Promise.resolve(() => w.hear.delete(hear));
    },

    status: () => later(() => w.status),
    outages: (days) => later(() => w.outages.filter((one) => now() - Date.parse(one.until ?? ago(0)) < days * DAY)),
    pause: (address, span) =>
      later(() => {
        for (const one of w.status.mailboxes) {
          if (address !== null && one.address !== address) continue;
          one.state = span === null ? "connected" : "paused";
          one.paused_until = span === null ? null : new Date(span === "hour" ? now() + HOUR : new Date(now() + DAY).setHours(7, 0, 0, 0)).toISOString();
          one.channels = one.channels.map((channel) => ({ channel: channel.channel, state: one.state, phase: null, reason: null, since: ago(0), evidence: null, next_try: null }));
        }
        return changed(w);
      }),
    retryNow: (address) =>
      wait(w.still ? 0 : 1200).then(() => {
        if (box(w, address).state === "retrying") heal(w, address);
        return changed(w);
      }),
    forgetSetAside: (address) =>
      later(() => {
        box(w, address).set_aside = [];
        return changed(w);
      }),
    retrySetAside: (address) =>
      wait(w.still ? 0 : 800).then(() => {
        box(w, address).set_aside.splice(0, 1);
        return changed(w);
      }),

    discover: (address) => wait(w.still ? 0 : 1100).then(() => discovery(address)),
    imapBeside: (host, port) => wait(w.still ? 0 : 600).then(() => beside(host, port)),
    check: (draft, password, onStep) => check(draft, password, w, turn, onStep),
    signIn: async (address, provider, onPage) => {
      onPage(`https://accounts.${provider}.example/auth?login_hint=${encodeURIComponent(address)}`);
      await (w.still ? new Promise<never>(() => {}) : wait(2500));
    },
    cancelSignIn: () => later(() => {}),
    addMailbox: (draft, _password, mode) =>
      later(() => {
        heal(w, draft.address);
        w.boxes.push({ draft, rules: { ...rules(draft.address), mode }, paused_until: null });
        w.app.first_run = false;
        w.tell({ kind: "app" });
        return changed(w);
      }),
    removeMailbox: (address) =>
      later(() => {
        w.status.mailboxes = w.status.mailboxes.filter((one) => one.address !== address);
        w.boxes = w.boxes.filter((one) => one.draft.address !== address);
        return changed(w);
      }),
    broken: (address) =>
      later(() => {
        const channel = box(w, address).channels.find((one) => one.state !== "connected") ?? null;
        return {
          draft: draftOf(w, address), reason: channel?.reason ?? null, since: channel?.since ?? null, evidence: channel?.evidence ?? null,
          advice: null,
          failed: channel?.phase === "auth" ? ("sign_in" as const) : channel?.reason ? ("tcp" as const) : null, waiting: box(w, address).to_read,
        };
      }),
    reconnect: (draft) =>
      later(() => {
        heal(w, draft.address);
        void catchUp(w, draft.address);
        return changed(w);
      }),
    folders: () => later(() => [...FOLDERS]),
    async dryRun(_address, days, onProgress) {
      for (const seen of [0, 180, 520, 860, 1138]) {
        onProgress({ folder: seen < 600 ? "INBOX" : "Sent", seen, of: 1138 });
        if (!w.still) await wait(350);
      }
      return dryRun(days);
    },
    async readHistory(_address, _days, onProgress) {
      for (const seen of [0, 300, 700, 1138]) {
        onProgress({ folder: seen < 600 ? "INBOX" : "Sent", seen, of: 1138 });
        if (!w.still) await wait(400);
      }
      w.tell({ kind: "threads" });
      return { seen: 1138, logged: 273, asked: 23 };
    },

    tryCrm: (crm, secret) =>
      wait(w.still ? 0 : 700).then(() => {
        if (secret === "wrong") refuse("crm_token_rejected", "The CRM does not accept the token.");
        return crm.kind === "hubspot" ? { id: "4471920", name: "Northwind Lab", missing_scopes: secret === "few scopes" ? ["crm.objects.owners.read"] : [] } : null;
      }),
    setCrm: (crm) =>
      later(() => {
        const sound = status("healthy").crms[0];
        if (sound !== undefined) w.status.crms = [{ ...sound, ...crm }];
        return changed(w);
      }),
    removeCrm: (kind) =>
      later(() => {
        w.status.crms = w.status.crms.filter((one) => one.kind !== kind);
        return changed(w);
      }),
    contacts: (limit) =>
      later(() => PEOPLE.slice(0, limit).map((one) => ({ source: "hubspot", remote_id: one.remote_id ?? "", name: one.name ?? null, addresses: [one.address] }))),
    importContacts: () => later(() => ({ read: 214, skipped: 3 })),

    threads: (query) => later(() => w.threads.page(query)),
    thread: (id) => later(() => (id >= 1 && id <= w.threads.total ? w.threads.view(id) : refuse("thread_missing", "This conversation is not there any more."))),
    messageHtml: (message) => {
      const view = w.threads.view(Math.floor(message / 100));
      const one = view.items[message % 100];
      return later(() => (one === undefined ? refuse("message_missing", "This message is not there any more.") : html(one, w.scene)));
    },
    saveAttachment: () => later(() => "/home/ann/Downloads/Offer-2026-0117.pdf"),
    openAttachment: () => later(() => null),
    unlogThread: (id) =>
      later(() => {
        w.threads.hide(id);
        w.tell({ kind: "threads" });
        return w.canUndo(() => {
          w.threads.show(id);
          w.tell({ kind: "threads" });
        });
      }),
    unlogMessage: () => later(() => w.canUndo(() => w.tell({ kind: "threads" }))),
    neverLog: (account, who) =>
      later(() => {
        const key = who.startsWith("@") ? "never_domains" : "never_addresses";
        const of = w.boxes.find((one) => one.draft.address === account);
        const entry = who.replace(/^@/, "");
        of?.rules[key].push(entry);
        return w.canUndo(() => {
          if (of) of.rules[key] = of.rules[key].filter((one) => one !== entry);
        });
      }),
    pastOf: () => later(() => ({ messages: w.forgotten ? 0 : 7, in_crm: w.forgotten ? [] : records() })),
    forgetLogged: (_account, _who, inCrm) =>
      later(() => {
        w.forgotten = true;
        return { messages: 7, in_crm: records(), removing: inCrm ? 5 : 0, undo: w.canUndo(() => (w.forgotten = false)) };
      }),
    undo: (token) =>
      later(() => {
        const back = w.undo.get(token) ?? refuse("undo_expired", "The time to take it back is over.");
        back();
      }).then(() => undefined),
    asked: () => later(() => questions(w)),
    answer: (messages, how) =>
      later(() => {
        const asked = questions(w).filter((one) => messages.includes(one.message));
        for (const one of messages) w.answered.add(one);
        for (const one of how === "never" ? asked : []) {
          const box = w.boxes.find(({ draft }) => draft.address === one.account);
          box?.rules.never_addresses.push(...(one.direction === "outgoing" ? one.to : one.from === null ? [] : [one.from]).map((who) => who.address));
        }
        w.tell({ kind: "asked" });
        return w.canUndo(() => {
          for (const one of messages) w.answered.delete(one);
          w.tell({ kind: "asked" });
        });
      }),
    whereIsMyMail: (account, words) =>
      wait(w.still ? 0 : 500).then(() => {
        if (words.includes("nothing")) return [];
        const to = [mailbox(person(3))];
        const crm = w.threads.total > 2 ? (w.threads.view(3).items[0]?.crm ?? []) : [];
        const base = { message: 300, thread: 3, folder: "Sent", place: null, to, sent_at: ago(HOUR), decided_at: ago(HOUR - 2000), stored_at: null, crm: [] };
        return copy([
          { ...base, subject: "Offer 2026-0117, revised", stored_at: ago(HOUR - 6000), stage: "in_crm" as const, rule: "sent_to_contact" as const, crm },
          { ...base, message: 301, thread: null, subject: "Lunch on Friday?", to: [{ name: "Jana Pohl", address: "jana.pohl@halden.example" }], stage: "ignored" as const, rule: "never_word" as const },
          { ...base, message: 302, subject: "Delivery date for order 20418", stage: "waiting" as const, rule: "sent_in_logged_thread" as const },
        ].map((one) => ({ ...one, account })));
      }),

    logByHand: (_mailbox, which, despite) =>
      later(() => {
        if (!despite && which.by === "message" && which.message === 301) refuse("never_log", "A never-log rule keeps this mail out.");
        return w.canUndo(() => w.tell({ kind: "threads" }));
      }),

    activity: (before, limit) => later(() => activity.page(before, limit, w.newestActivity)),
    failedPushes: () => later(() => activity.failed(w.scene).filter((one) => !w.retried.has(one.outbox))),
    retryPush: (sink, outbox) =>
      wait(w.still ? 0 : 600).then(() => {
        const all = activity.failed(w.scene).filter((one) => one.sink === sink && (outbox === null || one.outbox === outbox) && !w.retried.has(one.outbox));
        for (const one of all) w.retried.add(one.outbox);
        w.tell({ kind: "status" });
        return all.length;
      }),

    answerMissing: (outbox) =>
      later(() => {
        w.retried.add(outbox);
        w.tell({ kind: "status" });
      }),

    folderUses: () => later(() => [{ name: "INBOX", role: "inbox" as const, logs: false }, { name: "Sent", role: "sent" as const, logs: false }, ...(w.logFolder ? [{ name: "Threadline/Log", role: "other" as const, logs: true }] : [])]),
    makeLogFolder: () =>
      later(() => {
        w.logFolder = true;
        return "Threadline/Log";
      }),
    writesBack: () => later(() => w.marks),
    setWritesBack: (wanted) => later(() => (w.marks = wanted)),
    crmText: () => later(() => w.crmText),
    setCrmText: (wanted) => later(() => (w.crmText = wanted)),
    crmAddresses: () => later(() => w.crmAddresses),
    setCrmAddresses: (_kind, addresses) => later(() => (w.crmAddresses = addresses)),
    mailboxSettings: () => later(() => w.boxes),
    setRules: (address, next) =>
      later(() => {
        w.boxes = w.boxes.map((one) => (one.draft.address === address ? { ...one, rules: { ...next, version: one.rules.version + 1 } } : one));
        return w.boxes;
      }),
    explainRules: (_address, who) =>
      later(() => {
        const contact = PEOPLE.find((one) => one.address === who.toLowerCase());
        const known = contact !== undefined;
        return {
          address: who, known_as: null, contact: contact?.remote_id ?? null,
          sent: { outcome: known ? ("log" as const) : ("ask" as const), rule: known ? ("sent_to_contact" as const) : ("unknown_recipient" as const), why: "" },
          received: { outcome: known ? ("ask" as const) : ("ignore" as const), rule: known ? ("new_from_contact" as const) : ("unknown_sender" as const), why: "" },
        };
      }),
    setPrivate: (until) =>
      later(() => {
        for (const one of w.boxes) one.rules.private_times = until === null ? [] : [{ from: ago(0), until }];
        return w.boxes;
      }),
    retention: () => later(() => w.retention),
    setRetention: (wanted) => later(() => void (w.retention = wanted)),
    purge: (dryRun) => wait(w.still ? 0 : 600).then(() => proof.purge(dryRun, w.retention.hold ?? false)),
    attachmentLimits: () => later(() => w.limits),
    setAttachmentLimits: (wanted) => later(() => void (w.limits = wanted)),
    async audit(address, days, fix, onProgress) {
      for (const seen of [0, 240, 610, 1133]) {
        onProgress({ folder: seen < 600 ? "INBOX" : "Sent", seen, of: 1133 });
        if (!w.still) await wait(400);
      }
      return proof.audit(address, days, w.scene === "broken", fix);
    },
    lastAudits: () => later(() => w.status.mailboxes.slice(0, 1).map((one) => ({ ...proof.audit(one.address, 30, w.scene === "broken", false), at: w.nightly.last ?? ago(0), missed_lines: [], samples: [] }))),
    nightlyAudit: () => later(() => w.nightly),
    setNightlyAudit: (wanted) => later(() => (w.nightly = wanted)),
    egress: (before, limit) => later(() => proof.egress(w.scene, before, limit)),
    trash: () => later(() => w.trash),
    restore: (message) =>
      later(() => {
        w.trash = w.trash.filter((one) => one.message !== message);
        w.tell({ kind: "threads" });
      }),
    fileFates: (message) =>
      later(() => {
        const one = w.threads.view(Math.floor(message / 100)).items[message % 100];
        return one === undefined ? [] : proof.fates(one);
      }),
    readAgain: (message) =>
      wait(w.still ? 0 : 900).then(() => {
        const one = w.threads.view(Math.floor(message / 100)).items[message % 100] ?? refuse("message_missing", "This message is not there any more.");
        return copy({ subject: one.subject ?? "", from: one.from, to: one.to, cc: one.cc, text: (SENT[0] ?? "").replace("{first}", one.to[0]?.name?.split(" ")[0] ?? ""), attachments: one.attachments, truncated: false });
      }),
    holdThread: (id, hold) =>
      later(() => {
        if (hold) w.threads.held.add(id);
        else w.threads.held.delete(id);
        w.tell({ kind: "threads" });
      }),
    threadApart: (id) => later(() => (id === 5 ? { from: 2, why: "passed_on" as const } : null)),
    splitThread: (message) =>
      later(() => {
        w.tell({ kind: "threads" });
        return Math.floor(message / 100) + 1;
      }),
    mergeThreads: (from) =>
      later(() => {
        w.threads.hide(from);
        w.tell({ kind: "threads" });
      }),
    undoThreads: () =>
      later(() => {
        w.threads.showAll();
        w.tell({ kind: "threads" });
      }),
    exportAll: () => wait(w.still ? 0 : 900).then(() => "/home/ann/Documents/Threadline export"),
    openDataDir: () => Promise.resolve(),
    quit: () => Promise.resolve(),
    deleteEverything: () =>
      wait(w.still ? 0 : 900).then(() => {
        w.status = { running: w.status.running, mailboxes: [], crms: [], unusable_crms: [] };
        w.boxes = [];
        w.app.first_run = true;
        w.tell({ kind: "app" });
        return copy(w.app);
      }),

    network: () => later(() => w.network),
    setProxy: (proxy) =>
      later(() => {
        w.network = { ...w.network, proxy };
        return w.network;
      }),
    setIspdb: (ispdb) =>
      later(() => {
        w.network = { ...w.network, ispdb };
        return w.network;
      }),
    setOauthApp: (provider, client_id, secret) =>
      later(() => {
        const app = { provider, client_id, built_in: false, has_secret: secret !== null, authorize: `https://accounts.${provider}.example/auth` };
        w.network = { ...w.network, apps: [...w.network.apps.filter((one) => one.provider !== provider), app] };
        return w.network;
      }),
    removeOauthApp: (provider) =>
      later(() => {
        w.network = { ...w.network, apps: w.network.apps.filter((one) => one.provider !== provider) };
        return w.network;
      }),

    openSetupFile: () => later(() => true),
    offeredSetup: () =>
      later(() => ({
        from: "IT, Northwind Lab",
        changes: [
          { sets: "oauth_app" as const, provider: "microsoft" as const, client_id: "5c1f0d3e-7b1a-4a52-9d0e-1f2a3b4c5d6e", at: null, instead_of: null },
          { sets: "crm" as const, crm: { kind: "webhook" as const, url: "https://crm.northwind.example/…" }, instead_of: [{ kind: "folder" as const, dir: "/home/ann/CRM" }] },
          { sets: "mode" as const, mode: "known_contacts" as const, instead_of: ["sales@northwind-lab.example"] },
          { sets: "colleagues" as const, domains: ["northwind-lab.example", "northwind.example"] },
          { sets: "never" as const, who: ["@bank.example", "lawyer@oak.example"] },
        ],
        needs_secret: "webhook",
      })),
    applySetup: () => later(() => changed(w)),
    declineSetup: () => later(() => {}),
    checkUpdate: () => later(() => ({ version: "0.2.0", notes: "Reads calendars.", ready: false })),
    downloadUpdate: () => later(() => ({ version: "0.2.0", notes: "Reads calendars.", ready: true })),
    installUpdate: () => later(() => {}),

    ...sending(w, { later, refuse, turn }),

    logs: (after) => later(() => logLines(after, w.newestLog)),
    bundle: () => later(() => bundle()),
    saveBundle: () => later(() => "/home/ann/Documents/threadline-diagnostics.zip"),
    copyDiagnostics: () => Promise.resolve(),
    openLink(url) {
      window.open(url, "_blank", "noopener");
      return Promise.resolve();
    },
  };
  return withCase(api, turn, w);
}

function draftOf(w: World, address: string): MailboxDraft {
  return w.boxes.find((one) => one.draft.address === address)?.draft ?? draftFor(address);
}
