/// <reference types="svelte" />
/// <reference types="vite/client" />

/** True in builds that carry the made-up engine. */
declare const __FAKE__: boolean;
