import { mount } from "svelte";
import App from "./App.svelte";
import { openApi } from "./lib/index";
import "./styles/tokens.css";
import "./styles/base.css";

async function start(): Promise<void> {
  await openApi();
  const target = document.getElementById("app");
  if (target !== null) mount(App, { target });
}

void start();
