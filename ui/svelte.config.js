import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    warningFilter: (w) => !w.filename?.includes("node_modules"),
    // Short: the name stands in each element and each rule of a component.
    cssHash: ({ hash, css }) => `t${hash(css).slice(0, 5)}`,
  },
};
