import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default { preprocess: vitePreprocess(), compilerOptions: { warningFilter: (w) => !w.filename?.includes("node_modules") } };
