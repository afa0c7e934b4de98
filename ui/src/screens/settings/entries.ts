/** What a person types into the rules, brought to the form in which it is kept. */

import type { Rules } from "../../lib/bindings";

export type Entry = { ok: true; value: string } | { ok: false };

const LABEL = /^[\p{L}\p{N}]([\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u;

/** A domain, with or without `@` before it, in ASCII form (RFC 5890). */
export function domain(text: string): Entry {
  const bare = text.trim().replace(/^@/, "").replace(/\.$/, "").toLowerCase();
  const labels = bare.split(".");
  if (labels.length < 2 || !labels.every((label) => LABEL.test(label))) return { ok: false };
  try {
    const host = new URL(`http://${bare}`).hostname;
    return /[a-z]/.test(host) ? { ok: true, value: host } : { ok: false };
  } catch {
    return { ok: false };
  }
}

/** A mail address: one `@`, no blanks, a domain behind it. */
export function address(text: string): Entry {
  const bare = text.trim().replace(/^<|>$/g, "").toLowerCase();
  const at = bare.lastIndexOf("@");
  const local = bare.slice(0, Math.max(0, at));
  const host = domain(bare.slice(at + 1));
  if (local === "" || /[\s@<>,;]/.test(local) || !host.ok) return { ok: false };
  return { ok: true, value: `${local}@${host.value}` };
}

/** A folder's full name in the server's spelling. */
export function folder(text: string): Entry {
  const bare = text.trim();
  return bare === "" || /[\u0000-\u001f]/.test(bare) ? { ok: false } : { ok: true, value: bare };
}

/** Whom the rules now name that are never to be logged, and did not before. */
export function added(before: Rules | null, now: Rules): string[] {
  const fresh = (key: "never_addresses" | "never_domains"): string[] => now[key].filter((one) => before?.[key].includes(one) !== true);
  return [...fresh("never_addresses"), ...fresh("never_domains").map((domain) => `@${domain}`)];
}
