/** A mailbox's settings while they are typed: numbers are texts, and half of it may be missing. */
import type { Candidate, CheckStepName, Encryption, Endpoint, MailboxDraft, OauthProvider } from "../bindings";
import { pop3Sign } from "./pop3";

export type Form = {
  address: string;
  user: string;
  host: string;
  port: string;
  encryption: Encryption;
  /** Where to sign in with the browser; `null`: with a password. */
  oauth: OauthProvider | null;
  /** False: the mailbox is logged, and nothing is sent through it. */
  sending: boolean;
  smtpHost: string;
  smtpPort: string;
  smtpEncryption: Encryption;
  /** A private authority's certificate as PEM, or nothing. */
  authority: string;
  /** A certificate is trusted for one server: with another host or port it is dropped. */
  pin: { host: string; port: string; fingerprint: string } | null;
  /** The same for the sending server. */
  smtpPin: { host: string; fingerprint: string } | null;
  /** The folder of sent mail that the person named; empty: it is found by itself. */
  sentFolder: string;
};

export type FieldName = "address" | "user" | "password" | "host" | "port" | "encryption" | "smtp_host" | "smtp_port" | "authority";
/** `pop3` is more than a wrong number: it is explained at length where it is found. */
export type Problem = "missing" | "address" | "known" | "host" | "port" | "pop3" | "authority";
export type Problems = Partial<Record<FieldName, Problem>>;

export function emptyForm(address = ""): Form {
  return {
    address, user: address, host: "", port: "993", encryption: "tls", oauth: null,
    sending: false, smtpHost: "", smtpPort: "465", smtpEncryption: "tls", authority: "", pin: null, smtpPin: null, sentFolder: "",
  };
}

export function formOf(draft: MailboxDraft): Form {
  return {
    address: draft.address,
    user: draft.user,
    host: draft.host,
    port: String(draft.port),
    encryption: draft.encryption,
    oauth: draft.auth?.kind === "oauth" ? draft.auth.provider : null,
    sending: draft.smtp !== null,
    smtpHost: draft.smtp?.host ?? "",
    smtpPort: String(draft.smtp?.port ?? 465),
    smtpEncryption: draft.smtp?.encryption ?? "tls",
    authority: draft.authority ?? "",
    pin: draft.fingerprint === null ? null : { host: draft.host, port: String(draft.port), fingerprint: draft.fingerprint },
    smtpPin: draft.smtp == null || draft.smtp_fingerprint == null ? null : { host: draft.smtp.host, fingerprint: draft.smtp_fingerprint },
    sentFolder: draft.sent_folder ?? "",
  };
}

/** Who signs people in with the browser for an IMAP server; `null` where that is not known. */
export function oauthAt(host: string): OauthProvider | null {
  const name = host.trim().toLowerCase();
  const at = (domain: string) => name === domain || name.endsWith(`.${domain}`);
  if (at("gmail.com") || at("googlemail.com")) return "google";
  return at("office365.com") || at("outlook.com") ? "microsoft" : null;
}

/** The form with what was found for its address. */
export function withCandidate(form: Form, found: Candidate): Form {
  return {
    ...form,
    user: found.user,
    host: found.imap.host,
    port: String(found.imap.port),
    encryption: found.imap.encryption,
    oauth: found.hint === "oauth_only" ? oauthAt(found.imap.host) : null,
    sending: found.smtp !== null,
    smtpHost: found.smtp?.host ?? "",
    smtpPort: String(found.smtp?.port ?? 465),
    smtpEncryption: found.smtp?.encryption ?? "tls",
    pin: null,
    smtpPin: null,
  };
}

/** The form with another IMAP server. */
export function withImap(form: Form, imap: Endpoint): Form {
  return { ...form, host: imap.host, port: String(imap.port), encryption: imap.encryption };
}

/** The port that goes with an encryption, where the person has not typed one of their own. */
export function portFor(encryption: Encryption, port: string, kind: "imap" | "smtp"): string {
  const [tls, starttls] = kind === "imap" ? ["993", "143"] : ["465", "587"];
  if (port !== tls && port !== starttls && port.trim() !== "") return port;
  return encryption === "tls" ? tls! : starttls!;
}

function portOf(text: string): number | null {
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text.trim()) : 0;
  return port >= 1 && port <= 65535 ? port : null;
}

/** A host's name or number without scheme, path, port or blanks. */
const HOST = /^[^\s/:@]+$|^\[?[0-9a-f:]+\]?$/i;

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/;

export function isAddress(text: string): boolean {
  return /^[^\s@<>,;]+@[^\s@<>,;]+$/.test(text.trim());
}

/** What keeps the form from being used; `password` is the typed one, or `null` where none is wanted. */
export function problems(form: Form, password: string | null): Problems {
  const found: Problems = {};
  if (!isAddress(form.address)) found.address = "address";
  if (form.user.trim() === "") found.user = "missing";
  if (password === "" && form.oauth === null) found.password = "missing";
  if (form.host.trim() === "") found.host = "missing";
  else if (!HOST.test(form.host.trim())) found.host = "host";
  if (portOf(form.port) === null) found.port = "port";
  const sign = pop3Sign(form.host, form.port);
  if (sign !== null) found[sign] = "pop3";
  if (form.sending) {
    if (form.smtpHost.trim() === "") found.smtp_host = "missing";
    else if (!HOST.test(form.smtpHost.trim())) found.smtp_host = "host";
    if (portOf(form.smtpPort) === null) found.smtp_port = "port";
  }
  if (form.authority.trim() !== "" && !PEM.test(form.authority)) found.authority = "authority";
  return found;
}

/** The form with the certificate that a server presented trusted for that server: the one of the step that failed. */
export function withTrust(form: Form, step: CheckStepName | null, fingerprint: string): Form {
  return step === "smtp"
    ? { ...form, smtpPin: { host: form.smtpHost.trim(), fingerprint } }
    : { ...form, pin: { host: form.host.trim(), port: form.port.trim(), fingerprint } };
}

/** For a form without problems. */
export function draftOf(form: Form): MailboxDraft {
  const pinned = form.pin !== null && form.pin.host === form.host.trim() && form.pin.port === form.port.trim();
  return {
    address: form.address.trim(),
    user: form.user.trim(),
    host: form.host.trim(),
    port: portOf(form.port) ?? 993,
    encryption: form.encryption,
    auth: form.oauth === null ? { kind: "password" } : { kind: "oauth", provider: form.oauth },
    smtp: form.sending
      ? { host: form.smtpHost.trim(), port: portOf(form.smtpPort) ?? 465, encryption: form.smtpEncryption }
      : null,
    authority: form.authority.trim() === "" ? null : form.authority.trim(),
    fingerprint: pinned ? (form.pin?.fingerprint ?? null) : null,
    smtp_fingerprint: form.sending && form.smtpPin?.host === form.smtpHost.trim() ? form.smtpPin.fingerprint : null,
    sent_folder: form.sentFolder === "" ? null : form.sentFolder,
  };
}
