/** The live check, step by step, as a server would take its time. */
import type { CheckReport, CheckStep, CheckStepName, Found, MailboxDraft } from "../bindings";
import { crmFound, cures, failedStep, faultOf, isOther, stuckAt } from "./cases";
import { wait } from "./time";
import type { World } from "./world";

type Plan = { step: CheckStepName; ms: number; words?: string; found?: Found };

function plan(draft: MailboxDraft, w: World): Plan[] {
  return [
    { step: "dns", ms: 18, words: "192.0.2.25" },
    { step: "tcp", ms: 31, words: `192.0.2.25:${draft.port}` },
    { step: "tls", ms: 64, words: "TLS 1.3" },
    { step: "greeting", ms: 22, words: "IMAP4rev1 ready" },
    { step: "sign_in", ms: 148, words: draft.user },
    { step: "capabilities", ms: 19, words: "IDLE QRESYNC CONDSTORE SPECIAL-USE" },
    { step: "inbox", ms: 41, found: { what: "messages", messages: 18_204 } },
    { step: "sent", ms: 38, found: { what: "sent_folders", folders: [{ name: "Sent", how: "special_use" }] } },
    ...(draft.smtp ? [{ step: "smtp" as const, ms: 1240, words: "2.7.0 Authentication successful" }] : []),
    { step: "crm", ms: 212, found: crmFound(w.status.crms[0]?.kind ?? null) },
  ];
}

/**
 * A password "wrong" is refused; a host with "other" in it is another mailbox; one with "private" has a private authority.
 * `turn` is the case of `cases.ts`.
 */
export async function check(draft: MailboxDraft, password: string | null, w: World, turn: string | null, onStep: (step: CheckStep) => void): Promise<CheckReport> {
  const { scene, still } = w;
  const refused = password === "wrong" || (scene === "broken" && password === null && faultOf(turn) === null);
  const asked = faultOf(turn);
  const fault = asked !== null && !cures(asked, draft) ? asked : null;
  const untrusted = (draft.host.includes("private") || (fault?.reason === "tls_untrusted" && fault.step === "tls")) && draft.fingerprint === null && draft.authority === null;
  const stuck = stuckAt(turn);
  const steps: CheckStep[] = [];
  const say = (step: CheckStep): void => {
    if (step.state !== "running") steps.push(step);
    onStep(step);
  };
  let failed: CheckStepName | null = null;
  for (const { step, ms, words = null, found = null } of plan(draft, w)) {
    if (failed !== null) {
      say({ step, state: "skipped", ms: null, words: null, found: null, reason: null });
      continue;
    }
    say({ step, state: "running", ms: null, words: null, found: null, reason: null });
    if (!still) await wait(Math.max(220, ms));
    if (step === stuck) await new Promise(() => undefined);
    if (step === fault?.step) {
      failed = step;
      say(failedStep(fault, ms));
    } else if (step === "tls" && untrusted) {
      failed = step;
      say({ step, state: "failed", ms, words: "unknown issuer: CN=Northwind Lab Internal CA", found: null, reason: "tls_untrusted" });
    } else if (step === "sign_in" && refused) {
      failed = step;
      say({ step, state: "failed", ms, words: "[AUTHENTICATIONFAILED] Invalid credentials (Failure)", found: null, reason: scene === "broken" ? "password_changed" : "credentials_rejected" });
    } else {
      say({ step, state: "ok", ms, words, found, reason: null });
    }
  }
  const presented = untrusted || fault?.reason === "tls_untrusted"
    ? { subject: `CN=${failed === "smtp" ? draft.smtp?.host : draft.host}`, issuer: "CN=Northwind Lab Internal CA", expires: "2027-01-31T23:59:59Z", fingerprint: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" }
    : null;
  return {
    steps,
    failed,
    same_mailbox: scene === "broken" && failed === null ? !isOther(turn, draft) : null,
    advice: null,
    folders: ["Sent", "Archive", "Customers", "Customers/Halden Optics", "Ausgang 2026"],
    presented: presented !== null && failed !== "smtp" ? presented : null,
    presented_smtp: failed === "smtp" ? presented : null,
  };
}
