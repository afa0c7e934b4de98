/** Times, durations, numbers and sizes as the language writes them. Times come in RFC 3339, durations in milliseconds. */
import type { Locale } from "./i18n.svelte";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Intl gives British times and dates for English: 24 hours, as the German ones. */
function tag(locale: Locale): string {
  return locale === "de" ? "de-DE" : "en-GB";
}

const made = new Map<string, Intl.DateTimeFormat>();

function formatter(locale: Locale, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale}${JSON.stringify(options)}`;
  let one = made.get(key);
  if (one === undefined) {
    one = new Intl.DateTimeFormat(tag(locale), options);
    made.set(key, one);
  }
  return one;
}

export function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}

/** "14:02" */
export function clockTime(iso: string, locale: Locale): string {
  return formatter(locale, { hour: "2-digit", minute: "2-digit" }).format(new Date(iso));
}

/** "12 March", and with the year where it is another one than now. */
export function day(iso: string, locale: Locale, now: number): string {
  const date = new Date(iso);
  const other = date.getFullYear() !== new Date(now).getFullYear();
  return formatter(locale, { day: "numeric", month: "short", ...(other ? { year: "numeric" as const } : {}) }).format(date);
}

/** "Thursday, 12 March", and with the year where it is another one than now: for headings. */
export function weekday(iso: string, locale: Locale, now: number): string {
  const date = new Date(iso);
  const other = date.getFullYear() !== new Date(now).getFullYear();
  const year = other ? { year: "numeric" as const } : {};
  return formatter(locale, { weekday: "long", day: "numeric", month: "long", ...year }).format(date);
}

/** "Thursday, 12 March 2026 at 14:02:11" */
export function absolute(iso: string, locale: Locale): string {
  return formatter(locale, { dateStyle: "full", timeStyle: "medium" }).format(new Date(iso));
}

/** "14:02" today, "yesterday, 14:02", "12 Mar, 14:02" before: for "since …". */
export function moment(iso: string, locale: Locale, now: number): string {
  const at = new Date(iso).getTime();
  const time = clockTime(iso, locale);
  if (sameDay(at, now)) return time;
  if (sameDay(at, now - DAY)) return `${relativeDay(-1, locale)}, ${time}`;
  return `${day(iso, locale, now)}, ${time}`;
}

/** "14:02" today, "12 Mar" this year, "12 Mar 2025" before: for columns. */
export function short(iso: string, locale: Locale, now: number): string {
  return sameDay(new Date(iso).getTime(), now) ? clockTime(iso, locale) : day(iso, locale, now);
}

function relativeDay(days: number, locale: Locale): string {
  return new Intl.RelativeTimeFormat(tag(locale), { numeric: "auto" }).format(days, "day");
}

/** "now", "3 minutes ago", "in 2 hours", "yesterday", "12 Mar". */
export function relative(iso: string, locale: Locale, now: number): string {
  const gap = new Date(iso).getTime() - now;
  const size = Math.abs(gap);
  const words = new Intl.RelativeTimeFormat(tag(locale), { numeric: "auto" });
  if (size < 10 * SECOND) return words.format(0, "second");
  if (size < MINUTE) return words.format(Math.round(gap / SECOND), "second");
  if (size < HOUR) return words.format(Math.round(gap / MINUTE), "minute");
  if (size < DAY) return words.format(Math.round(gap / HOUR), "hour");
  if (size < 7 * DAY) return words.format(Math.round(gap / DAY), "day");
  return day(iso, locale, now);
}

/** "12 ms", "1.4 s" */
export function milliseconds(ms: number, locale: Locale): string {
  if (ms < 1000) return `${number(Math.round(ms), locale)} ms`;
  return `${new Intl.NumberFormat(tag(locale), { maximumFractionDigits: 1, minimumFractionDigits: 1 }).format(ms / 1000)} s`;
}

/** "45 s", "12 min", "3 h 20 min", "2 d 4 h" */
export function duration(ms: number, locale: Locale): string {
  const days = locale === "de" ? "T" : "d";
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) {
    const minutes = Math.floor((ms % HOUR) / MINUTE);
    return `${Math.floor(ms / HOUR)} h${minutes === 0 ? "" : ` ${minutes} min`}`;
  }
  const hours = Math.floor((ms % DAY) / HOUR);
  return `${Math.floor(ms / DAY)} ${days}${hours === 0 ? "" : ` ${hours} h`}`;
}

/** "0:42", "12:05" for what counts down; never below zero. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / SECOND));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function number(value: number, locale: Locale): string {
  return new Intl.NumberFormat(tag(locale)).format(value);
}

/** "812 bytes", "34 kB", "1.2 MB", of a size in bytes. */
export function bytes(size: number, locale: Locale): string {
  const digits = (value: number, most: number) => new Intl.NumberFormat(tag(locale), { maximumFractionDigits: most }).format(value);
  if (size < 1000) return `${digits(size, 0)} B`;
  if (size < 1_000_000) return `${digits(size / 1000, 0)} kB`;
  return `${digits(size / 1_000_000, 1)} MB`;
}
