/** The made-up program's memory: what the calls of `index.ts` read and change. */
import type {
  App, AppSettings, CrmText, EngineState, Language, Limits, MailboxSettings, NetworkSettings, News, NightlyAudit, Outage, Retention, Status, Theme, ThreadLine,
  TrashLine, Undo,
} from "../bindings";
import { NEWEST } from "./activity";
import { outages } from "./outages";
import { limits, nightly, retention, trash } from "./proof";
import { ANN, person } from "./people";
import { draftFor, rules } from "./setup";
import { SCENES, status, type Scene } from "./status";
import { threads, type Threads } from "./threads";
import { DAY, HOUR, now } from "./time";

export type World = {
  scene: Scene;
  /** Nothing moves by itself: for pictures. */
  still: boolean;
  app: App;
  status: Status;
  outages: Outage[];
  threads: Threads;
  boxes: MailboxSettings[];
  network: NetworkSettings;
  newestActivity: number;
  newestLog: number;
  answered: Set<number>;
  retried: Set<number>;
  retention: Retention;
  nightly: NightlyAudit;
  limits: Limits;
  trash: TrashLine[];
  /** What was logged of somebody was taken out. */
  forgotten: boolean;
  logFolder: boolean;
  marks: boolean;
  crmText: CrmText;
  crmAddresses: string[];
  undo: Map<number, () => void>;
  hear: Set<(news: News) => void>;
  tell(news: News): void;
  /** Keeps how to take a change back. */
  canUndo(back: () => void): Undo;
};

function engineOf(scene: Scene): EngineState {
  switch (scene) {
    case "starting":
      return { state: "starting" };
    case "held":
      return { state: "held", by: "threadline run (process 4711)" };
    case "keychain":
      return { state: "waiting_for_keychain", error: { code: "keychain_locked", message: "The keychain of this computer is locked.", next: null, values: {} } };
    case "stopped":
      return { state: "stopped", error: { code: "ledger_failed", message: "The ledger cannot be written.", next: "Make room on the disk.", values: {} } };
    default:
      return { state: "running" };
  }
}

function hostileLines(): ThreadLine[] {
  const odd = ["<script>alert(1)</script> Offer", `\u202Egpj.exe invoice ${"very long subject ".repeat(30)}`, "", "😀".repeat(120)];
  return odd.map((subject, n) => ({
    id: n + 1, account: ANN.address, key: String(n).repeat(64), subject, begun: new Date(now() - DAY).toISOString(), last: new Date(now() - n * HOUR).toISOString(), messages: n === 1 ? 999 : 2,
    contacts: n === 1
      ? Array.from({ length: 500 }, (_, who) => ({ ...person(who), address: `${who}.${person(who).address}` }))
      : [{ ...person(n), name: `<b>${"Name".repeat(20)}</b> \u202Etxet` }],
    crm: [{ sink: "hubspot", state: n === 2 ? "set_aside" : "done", messages: 2 }], state: "replied", state_since: new Date(now() - n * HOUR).toISOString(), direction: "incoming",
  }));
}

/** Conversations that weigh much: by their HTML (see `html.ts`), by 500 recipients, by marks that turn the direction. */
function heavyLines(): ThreadLine[] {
  const crowd = Array.from({ length: 500 }, (_, who) => ({ ...person(who), address: `${who}.${person(who).address}` }));
  const turned = [{ ...person(1), name: "Ann\u202Egpj.eciovni" }];
  const subjects = ["A newsletter of 5 MB", "10,000 elements in each other", "A mail to 500 people", "Invoice \u202Exslx.fdp"];
  return subjects.map((subject, n) => ({
    id: n + 1, account: ANN.address, key: String(n).repeat(64), subject, begun: new Date(now() - HOUR).toISOString(), last: new Date(now() - n * HOUR).toISOString(),
    messages: 1, contacts: n === 2 ? crowd : n === 3 ? turned : [person(n)], crm: [{ sink: "hubspot", state: "done", messages: 1 }],
    state: n === 2 ? "awaiting_reply" : "received", state_since: new Date(now() - n * HOUR).toISOString(), direction: n === 2 ? "outgoing" : "incoming",
  }));
}

export function world(params: URLSearchParams, still: boolean): World {
  const asked = params.get("scene");
  const scene = SCENES.find((one) => one === asked) ?? "healthy";
  const theme = (["light", "dark"] as const).find((one) => one === params.get("theme")) ?? ("system" satisfies Theme);
  const language = (["en", "de"] as const).find((one) => one === params.get("lang")) ?? ("system" satisfies Language);
  const settings: AppSettings = { theme, language, autostart: true, notifications: true, quiet_from: 20 * 60, quiet_until: 7 * 60, tray_said: false };
  // As the window marks its page before the program answers.
  if (theme !== "system") document.documentElement.dataset.theme = theme;
  const first = status(scene);
  const hear = new Set<(news: News) => void>();
  const undo = new Map<number, () => void>();
  return {
    scene,
    still,
    app: {
      version: "0.1.0", updates: scene === "healthy", data_dir: "/home/ann/.local/share/threadline", engine: engineOf(scene), first_run: scene === "empty", settings,
      locale: language === "system" ? (navigator.language.startsWith("de") ? "de" : "en") : language, missing: scene === "notray" ? ["tray"] : scene === "damaged" ? ["settings"] : [],
      settings_aside: scene === "damaged" ? "desktop.broken.json" : null,
    },
    status: first,
    outages: outages(scene),
    threads: threads(scene === "empty" ? 0 : scene === "many" ? 100_000 : 640, "hubspot", scene === "hostile" ? hostileLines() : scene === "heavy" ? heavyLines() : []),
    boxes: first.mailboxes.map((one) => ({ draft: draftFor(one.address), rules: rules(one.address), paused_until: one.paused_until })),
    network: {
      proxy: { way: "system", host: "", port: 0, user: "" }, ispdb: null,
      apps: [{ provider: "microsoft", client_id: "5c1f0d3e-7b1a-4a52-9d0e-1f2a3b4c5d6e", built_in: false, has_secret: false, authorize: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize" }],
    },
    newestActivity: scene === "empty" ? 0 : NEWEST,
    newestLog: 600,
    answered: new Set(),
    retried: new Set(),
    retention: retention(),
    nightly: nightly(),
    limits: limits(),
    trash: trash(scene),
    forgotten: false,
    logFolder: scene === "busy",
    marks: true,
    crmText: "whole",
    crmAddresses: [],
    undo,
    hear,
    tell: (news) => hear.forEach((one) => one(news)),
    canUndo(back) {
      const token = undo.size + 1;
      undo.set(token, back);
      return { token, until: new Date(now() + 15_000).toISOString() };
    },
  };
}
