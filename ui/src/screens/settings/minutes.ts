/** Minutes since midnight, as a time field of the browser holds them. */

/** `"22:30"` */
export function toField(minutes: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** `null` for an empty or broken field. */
export function fromField(text: string): number | null {
  const found = /^(\d{2}):(\d{2})/.exec(text);
  if (found === null) return null;
  const [hours, minutes] = [Number(found[1]), Number(found[2])];
  return hours < 24 && minutes < 60 ? hours * 60 + minutes : null;
}
