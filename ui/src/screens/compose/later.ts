/** Times at which a mail may go later, in local time. */

export type Choice = { when: "hour" | "evening" | "tomorrow" | "monday"; at: Date };

function day(from: Date, days: number, hour: number): Date {
  return new Date(from.getFullYear(), from.getMonth(), from.getDate() + days, hour);
}

/** The usual ones; none that is nearer than an hour, and none twice. */
export function choices(now: Date): Choice[] {
  const toMonday = (8 - now.getDay()) % 7 || 7;
  const all: Choice[] = [
    { when: "hour", at: new Date(now.getTime() + 3_600_000) },
    { when: "evening", at: day(now, 0, 18) },
    { when: "tomorrow", at: day(now, 1, 8) },
    { when: "monday", at: day(now, toMonday, 8) },
  ];
  const soon = now.getTime() + 3_600_000;
  return all.filter((one, n) => one.at.getTime() >= soon && all.findIndex((other) => other.at.getTime() === one.at.getTime()) === n);
}

const two = (n: number): string => String(n).padStart(2, "0");

/** As the field for a time takes it. */
export function toField(at: Date): string {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** What stands in that field, or was typed where the system has none of its own; `null` where it is no time. */
export function fromField(text: string): Date | null {
  const [, y, m, d, h, min] = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{1,2}):(\d{2})/.exec(text.trim()) ?? [];
  if (y === undefined) return null;
  const at = new Date(Number(y), Number(m) - 1, Number(d), Number(h), Number(min));
  return at.getMonth() === Number(m) - 1 && at.getDate() === Number(d) && at.getHours() === Number(h) && at.getMinutes() === Number(min) ? at : null;
}
