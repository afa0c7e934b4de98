/** How tall the frame of a formatted message is: it is closed to this page, so its height is reckoned by the message's text. */

/** Width of a letter of the frame's font, about, and what is beside the text: pixels. */
const LETTER = 6.9;
const SIDES = 30;
/** Height of a line, and of what is above and below the text: pixels. */
const LINE = 21;
const ENDS = 26;
/** Lines at the least and at the most; a longer text scrolls. */
const LEAST = 3;
const MOST = 24;

/** In pixels, for the message's plain text in a frame so many pixels wide; `long`: there is more than the text tells. */
export function frameHeight(text: string, width: number, long = false): number {
  if (long) return ENDS + LINE * MOST;
  const most = Math.max(20, Math.floor((width - SIDES) / LETTER));
  const lines = text.trim().slice(0, 10_000).split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / most)), 0);
  return ENDS + LINE * Math.min(MOST, Math.max(LEAST, lines));
}
