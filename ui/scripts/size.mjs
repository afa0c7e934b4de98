/**
 * `npm run size`: the bytes of JavaScript and CSS in dist/, compressed as gzip does at its best, and how many of them the
 * window needs before it shows the overview. A window loads one language of those that are shipped; with it alone the whole must
 * stay below the limit: ends with 1 above it.
 */
import { readFile, readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const LIMIT = 200_000;
const dist = fileURLToPath(new URL("../dist/", import.meta.url));

const files = new Map();
for (const name of await readdir(`${dist}assets`)) {
  if (/\.(js|css)$/.test(name)) files.set(name, await readFile(`${dist}assets/${name}`, "utf8"));
}
const packed = (names) => [...names].reduce((sum, name) => sum + gzipSync(files.get(name) ?? "", { level: 9 }).length, 0);

/** What index.html asks for, and what the page then loads on its way to the overview: the door to the program, one language, one screen. */
const entry = [...(await readFile(`${dist}index.html`, "utf8")).matchAll(/assets\/([\w.-]+\.(?:js|css))"/g)].map((match) => match[1]);
const program = entry.map((name) => (name.endsWith(".js") ? files.get(name) : "")).join("");
const listed = [...(/\.f=\[([^\]]*)\]/.exec(program)?.[1] ?? "").matchAll(/([\w.-]+\.(?:js|css))/g)].map((match) => match[1]);
const first = new Set(entry);
for (const stem of ["real", "en", "Overview"]) {
  const [, name, deps] = new RegExp(`import\\(["'\`]\\./(${stem}-[\\w-]+\\.js)["'\`]\\)(?:,__vite__mapDeps\\(\\[([\\d,]*)\\]\\))?`).exec(program) ?? [];
  if (name === undefined) throw new Error(`The page does not load ${stem} as this script expects.`);
  for (const one of [name, ...(deps ?? "").split(",").filter(Boolean).map((at) => listed[Number(at)])]) first.add(one);
}

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
const whole = packed(files.keys());
/** In the language that is the largest. */
const most = whole - Math.min(...["en", "de"].map((language) => packed([...files.keys()].filter((name) => name.startsWith(`${language}-`)))));
console.log(`JavaScript and CSS, gzip: ${kB(whole)} in ${files.size} files, all languages; ${kB(most)} with one (limit ${kB(LIMIT)}); before the overview is shown: ${kB(packed(first))}`);
for (const name of [...files.keys()].sort((a, b) => packed([b]) - packed([a])).slice(0, 8)) console.log(`  ${kB(packed([name])).padStart(8)}  ${name}`);
process.exitCode = most > LIMIT ? 1 : 0;
