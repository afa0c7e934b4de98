/** Light or dark, marked on the document: the system's choice is resolved here, so that each theme's colours are written once. */
import type { Theme } from "./bindings";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
let system = false;

function mark(theme: "light" | "dark"): void {
  document.documentElement.dataset.theme = theme;
}

dark.addEventListener("change", () => system && wearTheme("system"));

export function wearTheme(theme: Theme): void {
  system = theme === "system";
  mark(theme === "system" ? (dark.matches ? "dark" : "light") : theme);
}
