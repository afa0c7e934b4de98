import type { Component } from "svelte";

/** A picture beside words, as lucide's are: `import X from "@lucide/svelte/icons/x"`. */
export type IconComponent = Component<{ size?: number; "aria-hidden"?: "true" }>;
