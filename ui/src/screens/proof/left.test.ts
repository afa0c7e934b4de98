import { expect, it } from "vitest";
import type { EgressLine } from "../../lib/bindings";
import { deliveries } from "./left";

it("puts the fields of one delivery together, and no others", () => {
  const line = (id: number, at: string, thread: number | null): EgressLine => ({
    id, at, sink: "hubspot", object: "email", remote_id: "9", field: `f${id}`, bytes: 10, thread, subject: thread === null ? null : "Offer",
  });
  const lines = [line(5, "2026-03-12T09:00:00Z", 1), line(4, "2026-03-12T09:00:00Z", 1), line(3, "2026-03-12T09:00:00Z", null), line(2, "2026-03-11T09:00:00Z", null)];
  expect(deliveries(lines).map((one) => [one.id, one.bytes, one.fields.map((field) => field.field)])).toEqual([
    [5, 20, ["f5", "f4"]], [3, 10, ["f3"]], [2, 10, ["f2"]],
  ]);
});
