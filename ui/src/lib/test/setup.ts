/** Each test begins in English and with nothing in the page. */
import { afterEach } from "vitest";
import { setLocale } from "../i18n.svelte";

await setLocale("en");

afterEach(async () => {
  document.body.replaceChildren();
  await setLocale("en");
});
