/**
 * `npm run screens [-- <screen>|<screen>-<name> …]`: takes every picture of `table.mjs` into ui/screens/ and runs axe on each. Ends with 1
 * where axe finds a fault, or the console complained, or something stands out of the window.
 */
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { settled, stage } from "./stage.mjs";
import { table } from "./table.mjs";

const folder = fileURLToPath(new URL("../screens", import.meta.url));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const wanted = process.argv.slice(2);
const rows = table.filter((row) => wanted.length === 0 || wanted.includes(row.screen) || wanted.includes(`${row.screen}-${row.name}`));

/** Axe's findings, one line each. */
async function faults(page) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.flatMap((one) => one.nodes.map((node) => `axe ${one.id}: ${node.target.join(" ")} (${node.failureSummary?.split("\n")[1]?.trim()})`));
}

/** What is wider than the window can be scrolled to. */
function overflow(page) {
  return page.evaluate(() => (document.documentElement.scrollWidth > innerWidth ? [`the page is ${document.documentElement.scrollWidth - innerWidth} px too wide`] : []));
}

await mkdir(folder, { recursive: true });
const at = await stage();
let bad = 0;
for (const row of rows) {
  for (const theme of row.themes ?? ["light", "dark"]) {
    const name = `${row.screen}-${row.name}-${theme}`;
    const { page, problems, close } = await at.open({ ...row, theme });
    try {
      await settled(page, row.spins);
      await row.act?.(page);
      await settled(page, row.spins);
      await page.screenshot({ path: join(folder, `${name}.png`) });
      problems.push(...(await faults(page)), ...(await overflow(page)));
    } catch (error) {
      problems.push(String(error));
    }
    await close();
    bad += problems.length;
    console.log(`${problems.length === 0 ? "ok  " : "BAD "} ${name}${problems.map((one) => `\n       ${one}`).join("")}`);
  }
}
await at.close();
process.exitCode = bad === 0 ? 0 : 1;
