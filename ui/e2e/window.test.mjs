/** The ways of the keyboard through window and overview, in the browser. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { settled, stage } from "../scripts/stage.mjs";

let at;
before(async () => {
  at = await stage();
});
after(() => at.close());

/** Opens, runs, and complains of what the console complained of. */
async function on(options, run) {
  const { page, problems, close } = await at.open({ moving: true, ...options });
  try {
    await settled(page, options.spins);
    await run(page);
    assert.deepEqual(problems, []);
  } finally {
    await close();
  }
}

/** The name or the text of what has the focus. */
function focused(page) {
  return page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent?.trim() ?? "");
}

/** Presses Tab until what has the focus is called so. */
async function tabTo(page, name, most = 40) {
  for (let n = 0; n < most; n += 1) {
    await page.keyboard.press("Tab");
    if (name.test(await focused(page))) return;
  }
  assert.fail(`Tab never reached ${name}`);
}

test("the first stop skips the sidebar", () =>
  on({}, async (page) => {
    await page.keyboard.press("Tab");
    assert.equal(await focused(page), "Skip to content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  }));

test("the sidebar leads to a screen, and Back leads back", () =>
  on({}, async (page) => {
    await tabTo(page, /^Activity$/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Activity", level: 1 }).waitFor();
    await page.waitForFunction(() => document.activeElement?.id === "main");
    assert.equal(await page.getByRole("link", { name: "Activity", exact: true }).getAttribute("aria-current"), "page");
    await page.goBack();
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  }));

test("pausing and resuming", () =>
  on({}, async (page) => {
    await tabTo(page, /^Pause$/);
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: "For 1 hour" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await page.getByText("What you send meanwhile is caught up.").first().waitFor();
    assert.equal(await page.locator(".connection .state").textContent(), "Paused");
    await page.getByRole("button", { name: "Resume" }).first().press("Enter");
    await page.waitForFunction(() => document.querySelector(".connection .state")?.textContent === "Connected");
  }));

test("questions are answered together and taken back", () =>
  on({}, async (page) => {
    await page.getByRole("button", { name: "Answer" }).press("Enter");
    await page.getByRole("tab", { name: /Questions/, selected: true }).waitFor();
    const boxes = page.getByRole("checkbox");
    await boxes.first().waitFor();
    assert.equal(await boxes.count(), 5);
    await boxes.nth(1).focus();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Log these" }).press("Enter");
    await page.getByText("1 mail is being logged.").waitFor();
    await page.waitForFunction(() => document.querySelectorAll("input[type=checkbox]").length === 4);
    await page.getByRole("button", { name: "Undo" }).press("Enter");
    await page.getByText("Taken back.").waitFor();
    await page.waitForFunction(() => document.querySelectorAll("input[type=checkbox]").length === 5);
  }));

test("the last 30 days are walked by arrows", () =>
  on({ scene: "broken" }, async (page) => {
    const marks = page.locator(".strip").first().getByRole("button");
    await marks.first().focus();
    await page.keyboard.press("Enter");
    await page.getByText("The mailbox was moved to another server.").waitFor();
    await page.keyboard.press("ArrowRight");
    await page.getByText("1 d 2 h").waitFor();
    assert.equal(await marks.nth(1).getAttribute("aria-pressed"), "true");
  }));

test("a disconnect leads to the wizard of its mailbox", () =>
  on({ scene: "broken" }, async (page) => {
    await page.getByRole("button", { name: "Reconnect…" }).first().press("Enter");
    await page.getByRole("heading", { level: 1 }).waitFor();
    assert.match(page.url(), /#\/reconnect\/ann\.keller%40northwind-lab\.example$/);
  }));

test("activity is held while it is read", () =>
  on({ scene: "busy", hash: "#/activity" }, async (page) => {
    const entries = page.getByRole("list", { name: "Entries, the newest first" });
    const first = () => entries.locator(".entry").first().textContent();
    await entries.waitFor();
    const before = await first();
    await page.waitForFunction((text) => document.querySelector(".entry")?.textContent !== text, before);
    await entries.getByRole("link").first().focus();
    const held = await first();
    const button = page.getByRole("button", { name: /Show \d+ new entr/ });
    await button.waitFor();
    assert.equal(await first(), held);
    await button.press("Enter");
    await page.waitForFunction((text) => document.querySelector(".entry")?.textContent !== text, held);
  }));

test("a refused mail is tried again", () =>
  on({ scene: "broken", hash: "#/activity" }, async (page) => {
    await page.getByRole("button", { name: /^Retry: Frame contract/ }).press("Enter");
    await page.getByText("1 mail is tried again.").waitFor();
    await page.getByRole("heading", { name: "3 mails did not reach the CRM" }).waitFor();
  }));

test("a keychain that was unlocked is tried from the window", () =>
  on({ scene: "keychain" }, async (page) => {
    await tabTo(page, /^Try again$/);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  }));

test("what an audit misses is put on its way", () =>
  on({ scene: "broken", hash: "#/proof" }, async (page) => {
    await page.getByRole("button", { name: "Check now" }).press("Enter");
    await page.locator("[role=progressbar]").waitFor();
    await page.locator("[role=progressbar]").waitFor({ state: "detached" });
    await page.getByText("3 mails are missed").waitFor();
    await page.getByRole("button", { name: "Fix", exact: true }).press("Enter");
    await page.getByText("3 mails were put on their way.").waitFor();
  }));

test("mail is put back from the trash", () =>
  on({ hash: "#/proof/trash" }, async (page) => {
    const rows = page.getByRole("button", { name: /^Put back/ });
    await rows.first().waitFor();
    assert.equal(await rows.count(), 4);
    await rows.first().press("Enter");
    await page.getByText("It is in the log again").waitFor();
    await page.waitForFunction(() => document.querySelectorAll("main li").length === 3);
  }));

test("a conversation is divided, and that is taken back", () =>
  on({ hash: "#/threads/2" }, async (page) => {
    await page.getByRole("button", { name: "Actions for this message" }).last().press("Enter");
    await page.getByRole("menuitem", { name: /^Begin a new conversation/ }).press("Enter");
    await page.getByText("It is a conversation of its own now.").waitFor();
    await page.getByRole("button", { name: "Undo" }).press("Enter");
    await page.getByText("Taken back.").waitFor();
  }));

test("a dialog keeps the focus, and gives it back", () =>
  on({ hash: "#/threads/5" }, async (page) => {
    const menu = page.getByRole("button", { name: "Actions for this conversation" });
    await menu.press("Enter");
    await page.getByRole("menuitem", { name: /^Put into another/ }).press("Enter");
    await page.getByRole("dialog").waitFor();
    for (let n = 0; n < 12; n += 1) {
      await page.keyboard.press("Tab");
      assert.ok(await page.evaluate(() => document.activeElement === document.body || document.activeElement?.closest("dialog") !== null), "the focus left the dialog");
    }
    await page.keyboard.press("Escape");
    await page.waitForFunction(() => document.querySelector("dialog[open]") === null);
    assert.equal(await focused(page), "Actions for this conversation");
  }));

test("arrows move on in the list while a conversation is open", () =>
  on({ hash: "#/threads/2" }, async (page) => {
    const chosen = page.locator("[role=option][aria-selected=true]");
    await chosen.waitFor();
    assert.equal(await chosen.getAttribute("aria-posinset"), "2");
    await page.getByRole("listbox").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowDown");
    assert.equal(await chosen.getAttribute("aria-posinset"), "4");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => location.hash === "#/threads/4");
    // The list is the same one, and keeps the keyboard.
    await page.locator("article.message").first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => location.hash === "#/threads/5");
  }));

test("whom one stops logging is taken out of the log, too, and that is taken back by the keyboard", () =>
  on({ hash: "#/threads/3" }, async (page) => {
    await page.getByRole("button", { name: "Actions for this conversation" }).press("Enter");
    await page.getByRole("menuitem", { name: /^Stop logging Yuki/ }).press("Enter");
    const dialog = page.getByRole("dialog", { name: /^Take out what was logged before/ });
    await dialog.getByText("7 mails with yuki.sommer@fjordline-parts.example are in the log.").waitFor();
    await dialog.getByRole("checkbox").check();
    await dialog.getByRole("button", { name: "Take out" }).press("Enter");
    await page.getByText("7 mails were taken out of the log.").waitFor();
    await page.keyboard.press("Control+z");
    await page.getByText("Taken back.").waitFor();
  }));

test("a file that is only shown is opened from the conversation", () =>
  on({ hash: "#/threads/4" }, async (page) => {
    await page.getByRole("button", { name: /^Open Comments/ }).press("Enter");
    assert.equal(await page.getByText("The attachment could not be opened.").count(), 0);
  }));

test("a mail that the CRM should have logged by itself is answered", () =>
  on({ scene: "broken", hash: "#/activity" }, async (page) => {
    await page.getByRole("button", { name: "Leave it" }).press("Enter");
    await page.getByText("It stays as it is: logged here, and not in the CRM.").waitFor();
    await page.getByRole("button", { name: "Leave it" }).waitFor({ state: "detached" });
  }));

test("the folder that logs what is put into it is made from the rules", () =>
  on({ hash: "#/settings/rules" }, async (page) => {
    await page.getByRole("button", { name: "Make the folder" }).press("Enter");
    await page.getByText("What is put into “Threadline/Log” is logged.").waitFor();
  }));

test("who is never logged by an answer is taken out of the log, too", () =>
  on({ hash: "#/threads" }, async (page) => {
    await page.getByRole("tab", { name: /Questions/ }).click();
    await page.getByRole("checkbox").nth(1).check();
    await page.getByRole("button", { name: /^Never/ }).press("Enter");
    await page.getByRole("dialog", { name: /^Take out what was logged before/ }).getByRole("button", { name: "Leave them" }).press("Enter");
    await page.waitForFunction(() => document.querySelector("dialog[open]") === null);
  }));
