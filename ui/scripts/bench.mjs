/**
 * `npm run bench`: figures of the real page in the browser, over the made-up engine: scrolling 100,000 conversations, opening one,
 * and opening mails that weigh much. Long tasks are those of PerformanceObserver, above 50 ms. Ends with 1 where scrolling has any.
 */
import { HEAVY, openHeavy } from "./heavy.mjs";
import { painted, settled, stage } from "./stage.mjs";

const ms = (value) => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Notes each long task from here on. */
const observe = (page) =>
  page.evaluate(() => {
    globalThis.long = [];
    new PerformanceObserver((list) => globalThis.long.push(...list.getEntries().map((one) => one.duration))).observe({ entryTypes: ["longtask"] });
  });
const longTasks = (page) => page.evaluate(() => globalThis.long.splice(0));
const told = (long) => `${long.length}${long.length > 0 ? `, most ${ms(Math.max(...long))}` : ""}`;

/** Seconds of the processor that the page's own thread has used: what else runs on the computer does not count. */
async function processor(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => (await session.send("Performance.getMetrics")).metrics.find((one) => one.name === "TaskDuration").value;
}

const at = await stage();
const { page, problems, close } = await at.open({ scene: "many", hash: "#/threads" });
await settled(page);
await observe(page);

const rows = new Set();
const list = page.locator("[role=listbox]");
await list.hover();
const used = await processor(page);
const [began, before] = [performance.now(), await used()];
let steps = 0;
for (const [by, times] of [[120, 150], [900, 150], [20_000, 60], [-20_000, 60], [-900, 100]]) {
  for (let n = 0; n < times; n += 1) {
    await page.mouse.wheel(0, by);
    await page.evaluate(painted);
    rows.add(await page.locator("[role=option]").count());
    steps += 1;
  }
}
await list.focus();
for (const key of ["End", "Home", ...Array.from({ length: 100 }, () => "PageDown")]) {
  await page.keyboard.press(key);
  await page.evaluate(painted);
  rows.add(await page.locator("[role=option]").count());
  steps += 1;
}
const scrolling = await longTasks(page);
console.log(`scrolling 100,000 conversations, ${steps} steps in ${ms(performance.now() - began)}: ${ms(((await used()) - before) * 1000 / steps)} of the processor a step; rows in the document ${[...rows].sort((a, b) => a - b).join(", ")}; long tasks ${told(scrolling)}`);

const opened = [];
await page.keyboard.press("Home");
for (let n = 0; n < 40; n += 1) {
  await page.keyboard.press("ArrowDown");
  // What is not read yet cannot be opened.
  await page.locator("[role=option][aria-selected=true] .top").waitFor();
  const from = await page.evaluate(() => location.hash);
  const start = performance.now();
  await page.keyboard.press("Enter");
  await page.waitForFunction((hash) => location.hash !== hash && document.querySelector("article.message") !== null, from);
  await page.evaluate(painted);
  opened.push(performance.now() - start);
}
const opening = await longTasks(page);
console.log(`opening a conversation among 100,000, ${opened.length} times, until it is painted: median ${ms(median(opened))}, most ${ms(Math.max(...opened))}; long tasks ${told(opening)}`);
await close();

for (const one of HEAVY) {
  const heavy = await at.open({ scene: "heavy", hash: "#/threads" });
  await settled(heavy.page);
  await observe(heavy.page);
  const took = await openHeavy(heavy.page, one);
  const long = await longTasks(heavy.page);
  console.log(`opening a mail with ${one.what}: ${ms(took.opened)} until the conversation, ${ms(took.shown)} until its text is painted; long tasks of the page ${told(long)}`);
  problems.push(...heavy.problems);
  await heavy.close();
}
await at.close();
for (const problem of problems) console.error(problem);
process.exitCode = scrolling.length === 0 && problems.length === 0 ? 0 : 1;
