/**
 * Turns that set-up, check and reconnect can take, by `?case=`:
 *
 * - `fail.<step>.<reason>`: the check fails at that step, and the mailbox broke for that reason; `fail.tls.tls_untrusted`
 *   presents a certificate
 * - `stuck.<step>`: the check stays at that step; `stuck.discover`, `stuck.history`, `stuck.audit` and `stuck.catch_up` wait for ever
 * - `advised`: the mailbox is at Gmail, which wants something of its own done
 * - `other`: the sign-in leads to another mailbox; `gap`: two of the missed mails are set aside; `single`: one mail was missed
 * - `unreachable`: nothing can be looked up; `unread`: the last days can be neither read nor compared
 * - `silent`: no first mail comes (without it one comes after six seconds); `unknown_recipient`: it goes to a stranger
 */
import type { Api } from "../api";
import type { Activity, AppError, Broken, CheckStep, CheckStepName, CrmKind, Found, MailboxDraft, Reason } from "../bindings";
import { ago, MINUTE, wait } from "./time";
import type { World } from "./world";

export type Fault = { step: CheckStepName; reason: Reason | null; words: string | null };

const WORDS: Record<string, string> = {
  pop3_configured: "+OK Dovecot ready.",
  wrong_port_or_protocol: "HTTP/1.1 400 Bad Request",
  credentials_rejected: "[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
  password_changed: "[AUTHENTICATIONFAILED] Invalid credentials (Failure)",
  app_password_required: "[ALERT] Application-specific password required",
  imap_disabled_by_admin: "[UNAVAILABLE] IMAP access is disabled for your domain. Please contact your domain administrator.",
  smtp_auth_disabled: "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
  folder_missing: "[NONEXISTENT] Unknown Mailbox: Sent",
  mailbox_unreachable: "[SERVERBUG] Internal error occurred. Refer to server log for more information.",
  crm_token_rejected: "Authentication credentials not found or expired (INVALID_AUTHENTICATION)",
};

const NEVER = new Promise<never>(() => undefined);

/** The fault that the case asks for. */
export function faultOf(name: string | null): Fault | null {
  const [what, step, reason] = (name ?? "").split(".");
  if (what !== "fail" || step === undefined) return null;
  return { step: step as CheckStepName, reason: (reason ?? null) as Reason | null, words: WORDS[reason ?? ""] ?? null };
}

/** The step at which the check stays. */
export function stuckAt(name: string | null): string | null {
  const [what, step] = (name ?? "").split(".");
  return what === "stuck" ? (step ?? null) : null;
}

/** A CRM that answers. */
export function crmFound(kind: CrmKind | null): Found {
  const names = { hubspot: "Northwind Lab", webhook: "crm.northwind.example", folder: "/home/ann/CRM", ledger: "" };
  return { what: "crms", crms: kind === null ? [] : [{ kind, name: names[kind] }] };
}

/** A certificate that is trusted by its fingerprint is a sound one from then on. */
export function cures(fault: Fault, draft: MailboxDraft): boolean {
  if (fault.step === "smtp" && fault.reason === "tls_untrusted") return (draft.smtp_fingerprint ?? null) !== null;
  if (fault.reason === "tls_untrusted") return draft.fingerprint !== null || draft.authority !== null;
  if (fault.step === "sent") return (draft.sent_folder ?? null) !== null;
  if (fault.reason === "pop3_configured") return draft.host.startsWith("imap") && draft.port === 993;
  return fault.step === "smtp" && draft.smtp === null;
}

function firstMail(address: string, stranger: boolean): Activity {
  return {
    id: 1_000_001, at: ago(0), kind: "decided", of: address, message: 1, thread: 1, direction: "outgoing", outcome: stranger ? "ask" : "log",
    rule: stranger ? "unknown_recipient" : "sent_to_contact", reason: null, state: null, folder: "Sent", subject: stranger ? null : "Offer 2026-0117, revised",
    with: "Mara Lindqvist <mara.lindqvist@halden-optics.example>", words: null,
  };
}

/** The made-up program with the turn that the case asks for. */
export function withCase(api: Api, name: string | null, w: World): Api {
  const fault = faultOf(name);
  const stuck = stuckAt(name);
  const refuse = (error: AppError) => Promise.reject(error);
  return {
    ...api,
    discover(address) {
      if (stuck === "discover") return NEVER;
      if (name === "unreachable") return refuse({ code: "local_offline", message: "This computer is offline.", next: null, values: {} });
      return api.discover(address);
    },
    async addMailbox(draft, password, mode) {
      const done = await api.addMailbox(draft, password, mode);
      if (name !== "silent") {
        void wait(w.still ? 0 : 6000).then(() => w.tell({ kind: "activity", entry: firstMail(draft.address, name === "unknown_recipient") }));
      }
      return done;
    },
    async broken(address): Promise<Broken> {
      const found = await api.broken(address);
      if (name === "advised") {
        const draft = { ...found.draft, host: "imap.gmail.com", user: address };
        return { ...found, draft, advice: { key: "gmail.password", link: "https://myaccount.google.com/apppasswords" } };
      }
      if (fault === null) return found;
      return { ...found, reason: fault.reason, failed: fault.step, evidence: fault.words, since: ago(82 * MINUTE), waiting: 3 };
    },
    async reconnect(draft, password, takesPlace) {
      if (name !== "gap" && name !== "single" && stuck !== "catch_up") return api.reconnect(draft, password, takesPlace);
      const address = draft.address;
      const [missed, ends] = name === "single" ? [1, 1] : [37, name === "gap" ? 35 : 21];
      void wait(0).then(async () => {
        for (const checked of [0, 9, 21, ends]) {
          await wait(w.still ? 0 : 450);
          const now = Math.min(checked, ends);
          w.tell({ kind: "catch_up", progress: { address, missed, checked: now, logged: Math.ceil(now / 3), done: stuck === null && now === ends } });
        }
      });
      const status = await api.status();
      for (const one of status.mailboxes) {
        if (one.address === address) one.set_aside = name === "gap" ? SET_ASIDE : [];
      }
      return status;
    },
    async dryRun(address, days, onProgress) {
      if (stuck !== "history") return api.dryRun(address, days, onProgress);
      onProgress({ folder: "INBOX", seen: 520, of: 1138 });
      return NEVER;
    },
    async audit(address, days, fix, onProgress) {
      if (name === "unread") return refuse({ code: "local_offline", message: "This computer is offline.", next: null, values: {} });
      if (stuck !== "audit") return api.audit(address, days, fix, onProgress);
      onProgress({ folder: "INBOX", seen: 520, of: 1133 });
      return NEVER;
    },
    readHistory: (address, days, onProgress) =>
      name === "unread" ? refuse({ code: "server_closed_connection", message: "The server hung up.", next: null, values: {} }) : api.readHistory(address, days, onProgress),
  };
}

const SET_ASIDE = [
  { folder: "INBOX", uid: 20418, reason: "protocol_error" as const, why: "The message’s structure cannot be read." },
  { folder: "Sent", uid: 7731, reason: "protocol_error" as const, why: "The connection breaks when this message is fetched: the server ends it, or its answer cannot be read." },
];

/** Whether the check leads to another mailbox. */
export function isOther(name: string | null, draft: MailboxDraft): boolean {
  return name === "other" || draft.host.includes("other");
}

/** The steps of a fault's own kind: it fails, or is a warning where nothing stops. */
export function failedStep(fault: Fault, ms: number): CheckStep {
  return { step: fault.step, state: "failed", ms, words: fault.words, found: null, reason: fault.reason };
}
