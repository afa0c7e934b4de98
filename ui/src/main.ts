import { mount } from "svelte";
import App from "./App.svelte";
import { setLocale } from "./lib/i18n.svelte";
import { openApi } from "./lib/index";
import { wearTheme } from "./lib/theme";
import "./styles/tokens.css";
import "./styles/base.css";

async function start(): Promise<void> {
  // A theme of the person's own was marked before this runs.
  if (document.documentElement.dataset.theme === undefined) wearTheme("system");
  // The window was told the language with its theme; without one it is the system's.
  const language = document.documentElement.dataset.locale ?? navigator.language;
  await Promise.all([openApi(), setLocale(language.startsWith("de") ? "de" : "en")]);
  const target = document.getElementById("app");
  if (target !== null) mount(App, { target });
}

void start();
