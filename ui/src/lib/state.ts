/** A connection's state as word, tone and picture: each state differs from the others in all of them but the tone. */
import CircleAlert from "@lucide/svelte/icons/circle-alert";
import CircleCheck from "@lucide/svelte/icons/circle-check";
import CirclePause from "@lucide/svelte/icons/circle-pause";
import RefreshCw from "@lucide/svelte/icons/refresh-cw";
import RotateCw from "@lucide/svelte/icons/rotate-cw";
import WifiOff from "@lucide/svelte/icons/wifi-off";
import type { Health, State, Status } from "./bindings";
import { t } from "./i18n.svelte";

export type Tone = "ok" | "busy" | "warn" | "bad" | "idle";

const TONES: Record<State, Tone> = {
  connected: "ok", working: "busy", retrying: "warn", offline: "idle", needs_attention: "bad", paused: "idle",
};
const ICONS = {
  connected: CircleCheck, working: RefreshCw, retrying: RotateCw, offline: WifiOff, needs_attention: CircleAlert, paused: CirclePause,
} as const;

export function stateTone(state: State): Tone {
  return TONES[state];
}

export function stateIcon(state: State): (typeof ICONS)[State] {
  return ICONS[state];
}

export function stateWord(state: State): string {
  return t(`state.${state}`);
}

/** The more it needs the person, the later it stands here. */
const WEIGHT: readonly State[] = ["connected", "working", "paused", "offline", "retrying", "needs_attention"];

/** The state that speaks for several: the gravest. */
export function gravest(states: readonly State[]): State | null {
  return states.reduce<State | null>(
    (worst, state) => (worst === null || WEIGHT.indexOf(state) > WEIGHT.indexOf(worst) ? state : worst),
    null,
  );
}

/** The state of everything, for the sidebar; `null` without a mailbox. */
export function overall(status: Status): State | null {
  if (status.mailboxes.length === 0) return null;
  return gravest([...status.mailboxes.map((one) => one.state), ...status.crms.map((one) => one.state)]);
}

/** The channel that explains a state: the gravest, and of two the one that is so the longest. */
export function speaking(channels: readonly Health[]): Health | null {
  const worst = gravest(channels.map((one) => one.state));
  return channels.filter((one) => one.state === worst).sort((a, b) => a.since.localeCompare(b.since))[0] ?? null;
}
