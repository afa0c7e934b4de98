import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig(({ mode }) => ({
  plugins: [svelte()],
  // In tests the browser build of Svelte is wanted, not the server one.
  resolve: mode === "test" ? { conditions: ["browser"] } : {},
  base: "./",
  clearScreen: false,
  server: { host: "127.0.0.1", port: 5173, strictPort: true },
  build: {
    // WebKitGTK 2.40, WebView2, Safari 15 (macOS 12).
    target: ["safari15.4", "chrome105"],
    // The policy of the window is `script-src 'self'`: nothing is put into the page itself.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  // The made-up engine is only in builds of the mode `fake`; elsewhere the branch falls away.
  define: { __FAKE__: JSON.stringify(mode === "fake" || mode === "test") },
  test: { environment: "happy-dom", include: ["src/**/*.test.ts"], setupFiles: ["src/lib/test/setup.ts"] },
}));
