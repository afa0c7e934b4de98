/** How tall the frame of a formatted message begins. */

/** Characters that a line of the frame holds, about. */
const LINE = 80;

/** In rem, by the message's plain text: between a few lines and most of the screen. */
export function frameHeight(text: string): number {
  const lines = text.slice(0, 10_000).split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / LINE)), 0);
  return Math.min(26, Math.max(9, 3 + lines * 1.5));
}
