/** The build with the made-up engine, served on a free port of this computer, and a browser that looks at it. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist-fake");
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png" };
/** The window's own policy. */
const policy = JSON.parse(await readFile(join(root, "../tauri.conf.json"), "utf8")).app.security.csp;

/** The time at which all pictures are taken. */
export const CLOCK = "2026-03-12T09:24:00Z";

async function serve() {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    if (path === "/favicon.ico") return void response.writeHead(204).end();
    try {
      const body = await readFile(join(dist, path === "/" ? "index.html" : path));
      response.writeHead(200, { "content-type": types[extname(path)] ?? "text/html", "content-security-policy": policy });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { port: server.address().port, close: () => new Promise((done) => server.close(done)) };
}

/**
 * Builds, serves and starts the browser. `open({hash, scene, turn, theme, lang, moving, width, height})` gives a page whose
 * `problems` are what the console complained of. Chromium is taken from CHROMIUM, else /usr/bin/chromium.
 */
export async function stage() {
  await build({ root, mode: "fake", logLevel: "warn", build: { outDir: dist, emptyOutDir: true } });
  const server = await serve();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--force-color-profile=srgb", "--font-render-hinting=none"],
  });
  return {
    async open({ hash = "#/overview", scene = "healthy", theme = "light", lang = "en", moving = false, turn, width = 1200, height = 800 } = {}) {
      const context = await browser.newContext({
        viewport: { width, height }, timezoneId: "Europe/Berlin", locale: lang === "de" ? "de-DE" : "en-GB", reducedMotion: "reduce", colorScheme: "light",
      });
      const page = await context.newPage();
      const problems = [];
      page.on("console", (line) => line.type() === "error" && problems.push(line.text()));
      page.on("pageerror", (error) => problems.push(String(error)));
      const query = new URLSearchParams({ scene, theme, lang, ...(moving ? {} : { clock: CLOCK }), ...(turn ? { case: turn } : {}) });
      await page.goto(`http://127.0.0.1:${server.port}/?${query}${hash}`);
      return { page, problems, close: () => context.close() };
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** Waits until what is there is painted. */
export const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));

/**
 * Waits until nothing on the page says that it is still loading, and until each mail's frame has its text and shows it.
 * `spins`: the picture itself shows something at work.
 */
export async function settled(page, spins = false) {
  await page.waitForSelector("h1");
  if (!spins) await page.waitForFunction(() => document.querySelector(".spinner") === null);
  await page.evaluate(() => document.fonts.ready);
  await page.evaluate(painted);
  for (const frame of await page.locator("iframe").all()) await written(page, frame);
}

/**
 * Waits until a mail's frame shows something. Nothing can be asked inside of it, since no script runs there: a picture of one colour
 * takes next to no bytes for its pixels.
 */
export async function written(page, frame) {
  const { x, y, width, height } = await frame.boundingBox();
  const clip = { x, y, width, height: Math.min(height, page.viewportSize().height - y) };
  // It is below what is seen.
  if (clip.height < 40) return;
  for (let look = 0; look < 100; look += 1) {
    if ((await page.screenshot({ clip })).length > 0.015 * clip.width * clip.height) return;
  }
  throw new Error("The mail's frame stays blank.");
}
