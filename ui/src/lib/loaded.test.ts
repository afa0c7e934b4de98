import { expect, it } from "vitest";
import { Loaded } from "./loaded.svelte";

it("keeps what was there while it is refused, and forgets the refusal when it is not", async () => {
  const answers: (() => Promise<number>)[] = [async () => 1, () => Promise.reject(new Error("busy")), async () => 2];
  const read = new Loaded(() => (answers.shift() as () => Promise<number>)());
  expect([read.value, read.failed]).toEqual([null, null]);
  await read.load();
  await read.load();
  expect([read.value, String(read.failed)]).toEqual([1, "Error: busy"]);
  await read.load();
  expect([read.value, read.failed]).toEqual([2, null]);
});
