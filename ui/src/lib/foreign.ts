/** Text that came from elsewhere (subjects, names, folders, servers' words), made fit to be shown as text. */

/** Controls, and the characters that turn the direction of what follows: they could make "exe.fdp" read "pdf.exe". */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** At most `most` characters, with a sign in place of each that is not seen. */
export function foreign(text: string, most = 300): string {
  const cut = text.length > most ? `${text.slice(0, most).replace(/[\ud800-\udbff]$/, "")}…` : text;
  return cut.replace(UNSEEN, "\ufffd");
}
