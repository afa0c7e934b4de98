/** A SHA-256 fingerprint as people compare it: pairs with colons, sixteen pairs to a line. */
export function fingerprintLines(hex: string): string[] {
  const pairs = hex.replace(/[^0-9a-f]/gi, "").toUpperCase().match(/../g) ?? [];
  const made: string[] = [];
  for (let at = 0; at < pairs.length; at += 16) made.push(pairs.slice(at, at + 16).join(":"));
  return made;
}
