import { expect, it, vi } from "vitest";
import { PAGE, Pages, type Page } from "./pages.svelte";

const settle = () => new Promise((done) => setTimeout(done, 0));
const rows = (offset: number) => Array.from({ length: PAGE }, (_, i) => offset + i);

it("fetches each page once, and only those in view", async () => {
  const fetch = vi.fn(async (offset: number) => ({ total: 100_000, rows: rows(offset) }));
  const pages = new Pages<number>(fetch);
  pages.restart();
  await settle();
  pages.need(0, 20);
  pages.need(95, 20);
  pages.need(95, 20);
  await settle();
  expect(fetch.mock.calls.map(([offset]) => offset)).toEqual([0, PAGE]);
  expect(pages.at(110)).toBe(110);
  expect(pages.at(5_000)).toBeNull();
  expect(pages.total).toBe(100_000);
});

it("drops the answer to an older question", async () => {
  let answer: (page: Page<number>) => void = () => {};
  const answers = [new Promise<Page<number>>((done) => (answer = done)), Promise.resolve({ total: 1, rows: [7] })];
  const pages = new Pages<number>(() => answers.shift() as Promise<Page<number>>);
  pages.restart();
  pages.restart();
  await settle();
  answer({ total: 9, rows: rows(0) });
  await settle();
  expect(pages.total).toBe(1);
  expect(pages.at(0)).toBe(7);
});

it("asks again for what failed", async () => {
  let fail = true;
  const pages = new Pages<number>(async (offset) => {
    if (fail) throw { code: "busy", message: "The ledger is busy.", next: null, values: {} };
    return { total: PAGE, rows: rows(offset) };
  });
  pages.restart();
  await settle();
  expect(pages.error).toMatchObject({ code: "busy" });
  fail = false;
  pages.need(0, 10);
  await settle();
  expect(pages.error).toBeNull();
  expect(pages.at(3)).toBe(3);
});

it("keeps the place of what is looked at, and forgets pages that were left long ago", async () => {
  const fetch = vi.fn(async (offset: number) => ({ total: 100_000, rows: rows(offset) }));
  const pages = new Pages<number>(fetch);
  for (let page = 0; page < 60; page += 1) {
    pages.need(page * PAGE, 10);
    await settle();
  }
  expect(pages.at(0)).toBeNull();
  expect(pages.at(59 * PAGE)).toBe(59 * PAGE);
  await pages.refresh(59 * PAGE);
  expect(pages.at(59 * PAGE)).toBe(59 * PAGE);
  expect(pages.at(58 * PAGE)).toBeNull();
});
