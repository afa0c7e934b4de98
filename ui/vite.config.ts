import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const ui = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const catalogue = (language: string): Record<string, string> => JSON.parse(readFileSync(ui(`src/locales/${language}.json`), "utf8")) as Record<string, string>;

/** Tray, notifications and dialogs are the program's own, which has the whole catalogue: the page is spared their texts. */
const NOT_OF_THE_PAGE = /^(tray|notify|shell)\.|^reason\.\w+\.short$/;

/**
 * `catalogue:keys`, `catalogue:en` and `catalogue:de`: the keys of all texts, and each language's texts in their order, so that the
 * keys are shipped once and not with each language. Tests have the whole catalogue.
 */
const catalogues = (mode: string): Plugin => ({
  name: "catalogues",
  resolveId: { filter: { id: /^catalogue:/ }, handler: (id) => `\0${id}` },
  load: {
    filter: { id: /^\0catalogue:/ },
    handler(id) {
      for (const language of ["en", "de"]) this.addWatchFile(ui(`src/locales/${language}.json`));
      const keys = Object.keys(catalogue("en")).filter((key) => mode === "test" || !NOT_OF_THE_PAGE.test(key));
      const what = id.slice("\0catalogue:".length);
      const texts = what === "keys" ? null : catalogue(what);
      return `export default ${JSON.stringify(texts === null ? keys : keys.map((key) => texts[key]))}`;
    },
  },
});

/** Lucide's drawings in a frame of our own, which does no more than what is used of theirs. */
const icons: Plugin = {
  name: "icons",
  enforce: "pre",
  resolveId: {
    filter: { id: /^\.\.\/Icon\.svelte$/ },
    handler: (_, importer) => (importer?.includes("/@lucide/svelte/") ? ui("src/lib/components/Icon.svelte") : null),
  },
};

export default defineConfig(({ mode }) => ({
  plugins: [icons, svelte(), catalogues(mode)],
  // In tests the browser build of Svelte is wanted, not the server one.
  resolve: mode === "test" ? { conditions: ["browser"] } : {},
  base: "./",
  clearScreen: false,
  // The address is in `tauri.conf.json` and in `windows.rs` too.
  server: { host: "127.0.0.1", port: 1420, strictPort: true },
  build: {
    // WebKitGTK 2.40, WebView2, Safari 15 (macOS 12).
    target: ["safari15.4", "chrome105"],
    // The policy of the window is `script-src 'self'`: nothing is put into the page itself.
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    sourcemap: false,
    rolldownOptions: {
      output: {
        // What several screens share is one file each for parts and for connecting: many small files are packed badly.
        codeSplitting: {
          // What all need (Svelte itself) stays out of them.
          includeDependenciesRecursively: false,
          groups: [
            { name: "connect", test: /\/src\/lib\/connect\//, minShareCount: 2 },
            { name: "parts", test: /\/src\/lib\/components\/|\/@lucide\//, minShareCount: 2 },
          ],
        },
      },
    },
  },
  // The made-up engine is only in builds of the mode `fake`; elsewhere the branch falls away.
  define: { __FAKE__: JSON.stringify(mode === "fake" || mode === "test") },
  test: { environment: "happy-dom", include: ["src/**/*.test.ts"], setupFiles: ["src/lib/test/setup.ts"] },
}));
