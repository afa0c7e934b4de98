/** How the relay stands, in one word. */
import type { AppError, RelayStatus } from "../../lib/bindings";

export type RelayStanding = "off" | "answers" | "silent" | "failed";

export function relayState(of: RelayStatus): RelayStanding {
  if (!of.settings.on) return "off";
  if (of.answers) return "answers";
  return of.state?.state === "failed" ? "failed" : "silent";
}

/** A port as it was typed; `null` where it is none. */
export function port(text: string): number | null {
  const number = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  return number >= 1 && number <= 65_535 ? number : null;
}

/** Why it cannot listen, for `said`; `null` where it does. */
export function relayFault(of: RelayStatus): AppError | null {
  if (relayState(of) !== "failed" || of.state?.state !== "failed") return null;
  const { code = "", port: taken = null, words } = of.state;
  return { code, message: words, next: null, values: taken === null ? {} : { port: String(taken) } };
}
