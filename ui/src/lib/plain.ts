/** Text that came with mail, as it may stand on the screen. */

/** Marks that turn the direction of what follows, and control characters: they hide what a name or a subject really is. */
const HIDING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Without marks that hide, white space folded, at most `most` characters. */
export function plain(text: string, most = 300): string {
  // Cut first: a mail may bring megabytes.
  const clean = text.slice(0, 4 * most).replace(HIDING, "").replace(/\s+/g, " ").trim();
  return clean.length > most || text.length > 4 * most ? `${clean.slice(0, most).replace(/[\ud800-\udbff]$/, "")}…` : clean;
}

/** The host of a link as the network knows it (punycode for other scripts), or `null` where it is no web or mail link. */
export function linkHost(url: string): string | null {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return null;
  }
  if (parsed.protocol === "mailto:") return plain(decode(parsed.pathname));
  return parsed.protocol === "http:" || parsed.protocol === "https:" ? parsed.host : null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
