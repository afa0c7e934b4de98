/** The lines of the log that are shown. */
import type { LogLine } from "../../lib/bindings";

export type Level = LogLine["level"];
/** The gravest first. */
export const LEVELS: readonly Level[] = ["error", "warn", "info", "debug"];
/** Lines that are kept; older ones are in the log file. */
export const MOST_LINES = 2_000;

/** New lines behind the old ones, each once; the oldest go. */
export function join(old: readonly LogLine[], fresh: readonly LogLine[]): LogLine[] {
  const last = old.at(-1)?.id ?? Number.NEGATIVE_INFINITY;
  return [...old, ...fresh.filter((line) => line.id > last)].slice(-MOST_LINES);
}

/** Those at least as grave. */
export function atLeast(lines: readonly LogLine[], level: Level): LogLine[] {
  const most = LEVELS.indexOf(level);
  return lines.filter((line) => LEVELS.indexOf(line.level) <= most);
}

/** Those that hold the words, wherever. */
export function matching(lines: readonly LogLine[], words: string): readonly LogLine[] {
  const sought = words.trim().toLowerCase();
  if (sought === "") return lines;
  return lines.filter((line) => `${line.target} ${line.text}`.toLowerCase().includes(sought));
}
