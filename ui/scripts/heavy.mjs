/** The conversations of the scene `heavy`, opened: for the test that asserts what is shown, and for the figures. */
import { painted, written } from "./stage.mjs";

/** By the number of the conversation. `frame`: what the mail's own frame shows, else the mail is shown in the page. */
export const HEAVY = [
  { id: 1, what: "5 MB of HTML", frame: "#end" },
  { id: 2, what: "10,000 elements in each other", frame: "text=deep inside" },
  { id: 3, what: "500 recipients", frame: null },
  { id: 4, what: "marks that turn the direction", frame: null },
];

/** Goes there from the list; gives how long it took until the conversation, and until the mail's own text, was painted: milliseconds. */
export async function openHeavy(page, { id, frame }) {
  const begun = performance.now();
  await page.evaluate((to) => (location.hash = `#/threads/${to}`), id);
  await page.locator("article.message footer").waitFor();
  await page.evaluate(painted);
  const opened = performance.now() - begun;
  if (frame !== null) {
    const inside = page.frameLocator("iframe").locator(frame);
    await inside.waitFor({ state: "attached" });
    await written(page, page.locator("iframe"));
  }
  return { opened, shown: performance.now() - begun };
}
