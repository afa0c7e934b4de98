/// <reference types="svelte" />
/// <reference types="vite/client" />

/** True in builds that carry the made-up engine. */
declare const __FAKE__: boolean;

/** The keys of all texts, and each language's texts in the order of the keys: see `vite.config.ts`. */
declare module "catalogue:*" {
  const list: string[];
  export default list;
}
