/** Where the mails go, while it is typed. */
import type { CrmDraft, CrmKind, CrmSettings } from "../bindings";

export type CrmForm = { kind: CrmKind; dir: string; url: string; token: string; secret: string };
export type CrmProblems = Partial<Record<"dir" | "url" | "token" | "secret", "missing" | "url" | "secret">>;

export const KINDS: readonly CrmKind[] = ["folder", "hubspot", "webhook", "ledger"];

/** The folder in the data folder, as its system writes paths. */
export function folderIn(dataDir: string): string {
  const slash = dataDir.includes("\\") ? "\\" : "/";
  return `${dataDir.replace(/[\\/]+$/, "")}${slash}crm-folder`;
}

/** Begins with the CRM that is set already, else with the local folder. */
export function crmFormFor(set: CrmSettings | null, dataDir: string): CrmForm {
  return {
    kind: set?.kind ?? "folder",
    dir: set?.kind === "folder" ? set.dir : folderIn(dataDir),
    url: set?.kind === "webhook" ? set.url : "",
    token: "",
    secret: "",
  };
}

/** Whether it is what is set already, so that no secret need be typed again. */
export function isSet(form: CrmForm, set: CrmSettings | null): boolean {
  if (set === null || set.kind !== form.kind || form.token !== "" || form.secret !== "") return false;
  if (set.kind === "folder") return set.dir === form.dir.trim();
  return set.kind !== "webhook" || set.url === form.url.trim();
}

/** The webhook's secret is `whsec_` and at least 24 characters of base64 (Standard Webhooks). */
const SECRET = /^(whsec_)?[A-Za-z0-9+/]{24,}={0,2}$/;

/** `https` only, except to this very computer. */
function isWebUrl(text: string): boolean {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || (url.protocol === "http:" && /^(localhost|127\.[\d.]+|\[::1\])$/.test(url.hostname));
  } catch {
    return false;
  }
}

export function crmProblems(form: CrmForm): CrmProblems {
  const found: CrmProblems = {};
  if (form.kind === "folder" && form.dir.trim() === "") found.dir = "missing";
  if (form.kind === "hubspot" && form.token.trim() === "") found.token = "missing";
  if (form.kind === "webhook") {
    if (form.url.trim() === "") found.url = "missing";
    else if (!isWebUrl(form.url.trim())) found.url = "url";
    if (form.secret.trim() === "") found.secret = "missing";
    else if (!SECRET.test(form.secret.trim())) found.secret = "secret";
  }
  return found;
}

export function crmDraftOf(form: CrmForm): { draft: CrmDraft; secret: string | null } {
  switch (form.kind) {
    case "hubspot":
      return { draft: { kind: "hubspot" }, secret: form.token.trim() };
    case "webhook":
      return { draft: { kind: "webhook", url: form.url.trim() }, secret: form.secret.trim() };
    case "folder":
      return { draft: { kind: "folder", dir: form.dir.trim() }, secret: null };
    case "ledger":
      return { draft: { kind: "ledger" }, secret: null };
  }
}
