/** Where a menu stands, and where its keys lead. All sizes are in pixels of the window. */

/** Kept free between button and menu, and between menu and the window's edge. */
const GAP = 4;
const EDGE = 8;

type Box = { top: number; bottom: number; right: number };
type Size = { width: number; height: number };

/** Below the button and flush with its right side; above it where below is too little room; never out of the window. */
export function besides(button: Box, menu: Size, window: Size): { top: number; left: number } {
  const below = button.bottom + GAP;
  const above = button.top - GAP - menu.height;
  const top = below + menu.height > window.height - EDGE && above >= EDGE ? above : below;
  return {
    top: Math.max(EDGE, Math.min(top, window.height - EDGE - menu.height)),
    left: Math.max(EDGE, Math.min(button.right - menu.width, window.width - EDGE - menu.width)),
  };
}

/** The entry that a key leads to from entry `at` (-1: none yet); `null` where the key is not the menu's. */
export function step(key: string, at: number, labels: readonly string[]): number | null {
  const count = labels.length;
  if (count === 0) return null;
  switch (key) {
    case "ArrowDown":
      return (at + 1) % count;
    case "ArrowUp":
      return at <= 0 ? count - 1 : at - 1;
    case "Home":
      return 0;
    case "End":
      return count - 1;
  }
  if (key.length !== 1 || key === " ") return null;
  const letter = key.toLocaleLowerCase();
  const order = labels.map((_, n) => (at + 1 + n) % count);
  return order.find((n) => labels[n]?.toLocaleLowerCase().startsWith(letter)) ?? null;
}
