/** The made-up present, and times before and after it. */
import { clock } from "../clock.svelte";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A Thursday morning. */
export const PRESENT = "2026-03-12T09:24:00Z";

export function now(): number {
  return clock.read();
}

/** So many milliseconds ago, as RFC 3339. */
export function ago(ms: number): string {
  return new Date(now() - ms).toISOString();
}

export function wait(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
