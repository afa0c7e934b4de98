/** What each scene's mailboxes and CRM are like. */
import type { Channel, CrmStatus, Health, MailboxStatus, Phase, Reason, State, Status } from "../bindings";
import { ANN, SALES } from "./people";
import { ago, DAY, HOUR, MINUTE, now } from "./time";

export type Scene =
  | "empty" | "healthy" | "broken" | "offline" | "paused" | "held" | "keychain" | "busy" | "many" | "hostile"
  | "heavy" | "starting" | "stopped" | "notray" | "damaged" | "mute";

export const SCENES: readonly Scene[] = [
  "empty", "healthy", "broken", "offline", "paused", "held", "keychain", "busy", "many", "hostile", "heavy", "starting", "stopped", "notray", "damaged", "mute",
];

/** What the shared mailbox has counted. */
const SHARED = { logged: 311, asked: 0, ignored: 507 };

function health(channel: Channel, state: State, since: string, more: Partial<Health> = {}): Health {
  return { channel, state, phase: null, reason: null, since, evidence: null, next_try: null, ...more };
}

function failing(channel: Channel, state: State, since: string, phase: Phase, reason: Reason, evidence: string | null, next: number | null): Health {
  return health(channel, state, since, { phase, reason, evidence, next_try: next === null ? null : new Date(now() + next).toISOString() });
}

function box(address: string, state: State, channels: Health[], more: Partial<MailboxStatus> = {}): MailboxStatus {
  const counts = { logged: 1389, asked: 4, held: 0, ignored: 2038, ...more };
  return {
    address, provider: address.split("@")[1] ?? address, state, paused_until: null, channels, next_step: null, advice: null,
    bodies_never_read: counts.asked + counts.held + counts.ignored, waiting: 0, to_read: 0, refused: 0, last_seen: ago(3 * MINUTE), set_aside: [],
    ...counts,
  };
}

/** Sending is known from the last check alone. */
const checked = (): Health => health("smtp", "connected", ago(6 * DAY + 3 * HOUR + 2 * MINUTE));

function sound(since: string): Health[] {
  return [health("inbox", "connected", since), health("sent", "connected", since)];
}

function crm(state: State, of: Health[], more: Partial<CrmStatus> = {}): CrmStatus {
  return {
    kind: "hubspot", base_url: null, state, health: of, next_step: null, waiting: 0, set_aside: 0,
    done: 1700 - (more.waiting ?? 0) - (more.set_aside ?? 0), contacts: 1284, contacts_complete: true, ...more,
  } as CrmStatus;
}

export function status(scene: Scene): Status {
  return { ...shown(scene), unusable_crms: [] };
}

function shown(scene: Scene): Omit<Status, "unusable_crms"> {
  const since = ago(6 * DAY + 3 * HOUR);
  const shared = box(SALES, "connected", sound(ago(2 * DAY)), { ...SHARED, last_seen: ago(41 * MINUTE) });
  const own = box(ANN.address, "connected", [...sound(since), checked()]);
  const fine = crm("connected", [health("crm", "connected", since)]);
  const running = ago(6 * DAY + 3 * HOUR);

  switch (scene) {
    case "empty":
      return { running, mailboxes: [], crms: [] };
    case "broken": {
      const at = ago(82 * MINUTE);
      const words = "[AUTHENTICATIONFAILED] Invalid credentials (Failure)";
      return {
        running,
        mailboxes: [
          box(ANN.address, "needs_attention", [
            failing("inbox", "needs_attention", at, "auth", "password_changed", words, null),
            failing("sent", "needs_attention", at, "auth", "password_changed", words, null),
            checked(),
          ], {
            next_step: "Enter the new password.", last_seen: ago(83 * MINUTE), waiting: 3, to_read: 3,
            set_aside: [
              { folder: "INBOX", uid: 20418, reason: "protocol_error" as const, why: "The message's structure cannot be read." },
              { folder: "Sent", uid: 7731, reason: "protocol_error" as const, why: "The connection breaks when this message is fetched: the server ends it, or its answer cannot be read." },
            ],
          }),
          box(SALES, "retrying", [
            failing("inbox", "retrying", ago(4 * MINUTE), "tcp", "connection_timeout", null, 42_000),
            failing("sent", "retrying", ago(4 * MINUTE), "tcp", "connection_timeout", null, 42_000),
          ], { ...SHARED, last_seen: ago(9 * MINUTE) }),
        ],
        crms: [
          crm("retrying", [failing("crm", "retrying", ago(11 * MINUTE), "push", "throttled", "You have reached your secondly limit.", 9_000)], { waiting: 12, set_aside: 2 }),
        ],
      };
    }
    case "offline": {
      const at = ago(17 * MINUTE);
      const off = (channel: Channel) => failing(channel, "offline", at, "dns", "local_offline", null, null);
      return {
        running,
        mailboxes: [own, shared].map((one) => ({ ...one, state: "offline" as const, channels: [off("inbox"), off("sent"), ...one.channels.filter((of) => of.channel === "smtp")] })),
        crms: [crm("offline", [off("crm")], { waiting: 5 })],
      };
    }
    case "paused": {
      const until = new Date(now() + 38 * MINUTE).toISOString();
      const rest = (channel: Channel) => health(channel, "paused", ago(22 * MINUTE));
      return {
        running,
        mailboxes: [own, shared].map((one) => ({ ...one, state: "paused" as const, paused_until: until, channels: [rest("inbox"), rest("sent"), ...one.channels.filter((of) => of.channel === "smtp")] })),
        crms: [fine],
      };
    }
    case "busy":
      return {
        running: ago(2 * MINUTE),
        mailboxes: [
          box(ANN.address, "working", [health("inbox", "working", ago(MINUTE), { phase: "fetch" }), health("sent", "working", ago(MINUTE), { phase: "fetch" }), checked()], { waiting: 27, held: 9 }),
          shared,
        ],
        crms: [crm("working", [health("crm", "working", ago(MINUTE), { phase: "push" })], { waiting: 27, contacts: 860, contacts_complete: false })],
      };
    case "hostile": {
      const long = `${"very-long-name".repeat(6)}@${"sub.".repeat(8)}northwind-lab.example`;
      return {
        running,
        mailboxes: [
          box(long, "needs_attention", [health("inbox", "connected", since), failing("sent", "needs_attention", ago(3 * HOUR), "select", "sent_folder_unknown", `NO Mailbox "<img src=x onerror=alert(1)>" does not exist \u202Eexe.fdp ${"x".repeat(300)}`, null), checked()], {
            logged: 1_284_417, ignored: 98_000_000, waiting: 14_233,
            set_aside: Array.from({ length: 40 }, (_, n) => ({ folder: n % 2 ? "Click me! <b>Payload</b>" : `Archive/\u202E${"deep/".repeat(20)}`, uid: 1000 + n, reason: null, why: "<script>alert(1)</script> nested too deeply" })),
          }),
        ],
        crms: [crm("needs_attention", [failing("crm", "needs_attention", ago(5 * HOUR), "push", "crm_token_rejected", `{"message":"<a href=javascript:alert(1)>Click</a>"} ${"y".repeat(400)}`, null)], { waiting: 14_233, set_aside: 77 })],
      };
    }
    default:
      return { running, mailboxes: [own, shared], crms: [fine] };
  }
}
