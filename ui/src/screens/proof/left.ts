/** What left this computer, as it is shown: the fields of one delivery together. */
import type { EgressLine } from "../../lib/bindings";

export type Delivery = Pick<EgressLine, "id" | "at" | "sink" | "thread" | "subject"> & { bytes: number; fields: EgressLine[] };

/** Rows beside each other that left at the same time for the same conversation; the newest first, as they come. */
export function deliveries(lines: readonly EgressLine[]): Delivery[] {
  const all: Delivery[] = [];
  for (const line of lines) {
    const last = all.at(-1);
    if (last !== undefined && last.at === line.at && last.sink === line.sink && last.thread === line.thread && last.subject === line.subject) {
      last.fields.push(line);
      last.bytes += line.bytes;
    } else {
      all.push({ id: line.id, at: line.at, sink: line.sink, thread: line.thread, subject: line.subject, bytes: line.bytes, fields: [line] });
    }
  }
  return all;
}
