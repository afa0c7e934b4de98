/** Mails that weigh much, or are made to mislead: opened in the window, and shown as they should be. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { HEAVY, openHeavy } from "../scripts/heavy.mjs";
import { settled, stage } from "../scripts/stage.mjs";

let at;
before(async () => {
  at = await stage();
});
after(() => at.close());

/** Opens one of them, and holds that the window stays usable: nothing stands out of it, and the list answers within a second. */
async function on(id, run) {
  const { page, problems, close } = await at.open({ scene: "heavy", hash: "#/threads" });
  try {
    await settled(page);
    const took = await openHeavy(page, HEAVY[id - 1]);
    assert.ok(took.shown < 10_000, `${took.shown} ms until it was shown`);
    await run(page);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it stands out of the window");
    assert.ok((await page.locator("*").count()) < 4_000, "the page itself has grown");
    const asked = performance.now();
    await page.getByRole("searchbox").first().fill("newsletter");
    await page.getByText("1 conversation", { exact: true }).waitFor();
    assert.ok(performance.now() - asked < 2_000, "the list does not answer");
    assert.deepEqual(problems, []);
  } finally {
    await close();
  }
}

test("5 MB of HTML stay in their frame, to the last line", () =>
  on(1, async (page) => {
    assert.equal(await page.frameLocator("iframe").locator("#end").textContent(), "the last line");
    assert.equal(await page.locator("iframe").getAttribute("sandbox"), "allow-popups");
  }));

test("10,000 elements in each other are shown", () =>
  on(2, async (page) => {
    assert.match((await page.frameLocator("iframe").locator("body").textContent()) ?? "", /deep inside/);
  }));

test("of 500 recipients three are named, and all on request", () =>
  on(3, async (page) => {
    const to = page.locator("article.message .to");
    assert.match((await to.textContent()) ?? "", /and 497 more/);
    await to.getByRole("button").click();
    assert.equal(((await to.textContent()) ?? "").split(",").length, 500);
    assert.equal(await to.getByRole("button").count(), 0);
  }));

test("marks that turn the direction of a name or a subject are taken out", () =>
  on(4, async (page) => {
    const shown = await page.locator("main").textContent();
    assert.doesNotMatch(shown ?? "", /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
    assert.match(shown ?? "", /Invoice xslx\.fdp/);
    assert.match(shown ?? "", /Anngpj\.eciovni/);
  }));
