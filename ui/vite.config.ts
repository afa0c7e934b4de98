import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Tray, notifications and dialogs are the program's own, which has the whole catalogue: the page is spared their texts. */
const NOT_OF_THE_PAGE = /^(tray|notify|shell)\.|^reason\.\w+\.short$/;

const catalogues: Plugin = {
  name: "catalogues",
  apply: "build",
  enforce: "pre",
  transform: {
    filter: { id: /\/locales\/\w+\.json$/ },
    handler: (text) => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(text)).filter(([key]) => !NOT_OF_THE_PAGE.test(key)))),
  },
};

export default defineConfig(({ mode }) => ({
  plugins: [svelte(), catalogues],
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
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  // The made-up engine is only in builds of the mode `fake`; elsewhere the branch falls away.
  define: { __FAKE__: JSON.stringify(mode === "fake" || mode === "test") },
  test: { environment: "happy-dom", include: ["src/**/*.test.ts"], setupFiles: ["src/lib/test/setup.ts"] },
}));
