/** What each scene's mailboxes and CRM are like. */
import type { Channel, CrmStatus, Health, MailboxStatus, Phase, Reason, State, Status } from "../bindings";
import { ANN, SALES } from "./people";
import { ago, DAY, HOUR, MINUTE, now } from "./time";

export type Scene =
  | "empty" | "healthy" | "broken" | "offline" | "paused" | "held" | "keychain" | "busy" | "many" | "hostile"
  | "starting" | "stopped" | "notray" | "mute";

export const SCENES: readonly Scene[] = [
  "empty", "healthy", "broken", "offline", "paused", "held", "keychain", "busy", "many", "hostile", "starting", "stopped", "notray", "mute",
];

function health(channel: Channel, state: State, since: string, more: Partial<Health> = {}): Health {
  return { channel, state, phase: null, reason: null, since, evidence: null, next_try: null, ...more };
}

function failing(channel: Channel, state: State, since: string, phase: Phase, reason: Reason, evidence: string | null, next: number | null): Health {
  return health(channel, state, since, { phase, reason, evidence, next_try: next === null ? null : new Date(now() + next).toISOString() });
}

function box(address: string, state: State, channels: Health[], more: Partial<MailboxStatus> = {}): MailboxStatus {
  return {
    address, provider: address.split("@")[1] ?? address, state, paused_until: null, channels, next_step: null, advice: null, logged: 412, asked: 4, held: 0, ignored: 2038,
    bodies_never_read: 2042, waiting: 0, to_read: 0, refused: 0, last_seen: ago(3 * MINUTE), set_aside: [], ...more,
  };
}

function sound(since: string): Health[] {
  return [health("inbox", "connected", since), health("sent", "connected", since), health("smtp", "connected", since)];
}

function crm(state: State, of: Health[], more: Partial<CrmStatus> = {}): CrmStatus {
  return {
    kind: "hubspot", base_url: null, state, health: of, next_step: null, waiting: 0, set_aside: 0, done: 4317,
    contacts: 1284, contacts_complete: true, ...more,
  } as CrmStatus;
}

export function status(scene: Scene): Status {
  return { ...shown(scene), unusable_crms: [] };
}

function shown(scene: Scene): Omit<Status, "unusable_crms"> {
  const since = ago(6 * DAY + 3 * HOUR);
  const shared = box(SALES, "connected", sound(ago(2 * DAY)), { logged: 96, asked: 0, ignored: 507, bodies_never_read: 507, last_seen: ago(41 * MINUTE) });
  const own = box(ANN.address, "connected", sound(since));
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
            failing("smtp", "needs_attention", at, "auth", "password_changed", "535 5.7.8 Error: authentication failed", null),
          ], {
            next_step: "Enter the new password.", last_seen: ago(83 * MINUTE), waiting: 3, to_read: 3,
            set_aside: [
              { folder: "INBOX", uid: 20418, why: "The message's structure cannot be read." },
              { folder: "Sent", uid: 7731, why: "The message is larger than 50 MB." },
            ],
          }),
          box(SALES, "retrying", [
            failing("inbox", "retrying", ago(4 * MINUTE), "tcp", "connection_timeout", null, 42_000),
            failing("sent", "retrying", ago(4 * MINUTE), "tcp", "connection_timeout", null, 42_000),
            health("smtp", "connected", since),
          ], { logged: 96, asked: 0, last_seen: ago(9 * MINUTE) }),
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
        mailboxes: [own, shared].map((one) => ({ ...one, state: "offline" as const, channels: [off("inbox"), off("sent"), off("smtp")] })),
        crms: [crm("offline", [off("crm")], { waiting: 5 })],
      };
    }
    case "paused": {
      const until = new Date(now() + 38 * MINUTE).toISOString();
      const rest = (channel: Channel) => health(channel, "paused", ago(22 * MINUTE));
      return {
        running,
        mailboxes: [own, shared].map((one) => ({ ...one, state: "paused" as const, paused_until: until, channels: [rest("inbox"), rest("sent"), rest("smtp")] })),
        crms: [fine],
      };
    }
    case "busy":
      return {
        running: ago(2 * MINUTE),
        mailboxes: [
          box(ANN.address, "working", [health("inbox", "working", ago(MINUTE), { phase: "fetch" }), health("sent", "working", ago(MINUTE), { phase: "fetch" }), health("smtp", "connected", ago(2 * MINUTE))], { waiting: 27, held: 9 }),
          shared,
        ],
        crms: [crm("working", [health("crm", "working", ago(MINUTE), { phase: "push" })], { waiting: 27, contacts: 860, contacts_complete: false })],
      };
    case "hostile": {
      const long = `${"very-long-name".repeat(6)}@${"sub.".repeat(8)}northwind-lab.example`;
      return {
        running,
        mailboxes: [
          box(long, "needs_attention", [failing("inbox", "needs_attention", ago(3 * HOUR), "select", "folder_missing", `NO Mailbox "<img src=x onerror=alert(1)>" does not exist \u202Eexe.fdp ${"x".repeat(300)}`, null), health("sent", "connected", since), health("smtp", "connected", since)], {
            logged: 1_284_417, ignored: 98_000_000, bodies_never_read: 98_000_000, waiting: 14_233,
            set_aside: Array.from({ length: 40 }, (_, n) => ({ folder: n % 2 ? "Click me! <b>Payload</b>" : `Archive/\u202E${"deep/".repeat(20)}`, uid: 1000 + n, why: "<script>alert(1)</script> nested too deeply" })),
          }),
        ],
        crms: [crm("needs_attention", [failing("crm", "needs_attention", ago(5 * HOUR), "push", "crm_token_rejected", `{"message":"<a href=javascript:alert(1)>Click</a>"} ${"y".repeat(400)}`, null)], { waiting: 14_233, set_aside: 77 })],
      };
    }
    default:
      return { running, mailboxes: [own, shared], crms: [fine] };
  }
}
