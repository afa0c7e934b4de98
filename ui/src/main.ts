import { mount } from "svelte";
import App from "./App.svelte";
import { setLocale } from "./lib/i18n.svelte";
import { openApi } from "./lib/index";
import "./styles/tokens.css";
import "./styles/base.css";

async function start(): Promise<void> {
  // The system's language, until the program has said which it is to be.
  await Promise.all([openApi(), setLocale(navigator.language.startsWith("de") ? "de" : "en")]);
  const target = document.getElementById("app");
  if (target !== null) mount(App, { target });
}

void start();
