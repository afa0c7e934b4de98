/** Which rows of a long list are in view. All rows have one height, in pixels. */
export type Span = { first: number; count: number; offset: number; height: number };

/** The most pixels a browser lays out reliably; a longer list is scrolled in proportion. */
export const TALLEST = 8_000_000;

/**
 * `count` rows are given for any place, so that the number of elements stays the same while scrolling.
 * `offset` is where the first of them stands in the scrolled area, `height` how tall that area is.
 */
export function span(total: number, row: number, view: number, scrolled: number, spare = 6): Span {
  const full = total * row;
  const height = Math.min(full, TALLEST);
  const count = Math.min(total, Math.ceil(view / row) + 2 * spare);
  if (total === 0 || view <= 0) return { first: 0, count, offset: 0, height };
  const top = Math.max(0, Math.min(scrolled, height - view));
  const real = full > height && height > view ? (top / (height - view)) * (full - view) : top;
  const first = Math.max(0, Math.min(Math.floor(real / row) - spare, total - count));
  return { first, count, offset: top - real + first * row, height };
}

/** Where to scroll so that a row is wholly in view; the place itself where it already is. */
export function reveal(index: number, total: number, row: number, view: number, scrolled: number): number {
  const full = total * row;
  const height = Math.min(full, TALLEST);
  const factor = full > height && height > view ? (full - view) / (height - view) : 1;
  const real = scrolled * factor;
  if (index * row < real) return (index * row) / factor;
  if ((index + 1) * row > real + view) return Math.max(0, ((index + 1) * row - view) / factor);
  return scrolled;
}
