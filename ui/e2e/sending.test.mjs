/** A mail from a conversation to the list of what went out, taken back and sent; the relay; people who are asked about. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { settled, stage } from "../scripts/stage.mjs";

let at;
before(async () => {
  at = await stage();
});
after(() => at.close());

async function on(options, run) {
  const { page, problems, close } = await at.open({ moving: true, ...options });
  try {
    await settled(page);
    await run(page);
    assert.deepEqual(problems, []);
  } finally {
    await close();
  }
}

const press = (page, name) => page.getByRole("button", { name, exact: true }).click();

test("two clicks from a conversation to a clean mail from a template, which is taken back and goes after all", () =>
  on({ hash: "#/threads/3" }, async (page) => {
    await press(page, "New mail");
    await page.getByRole("heading", { name: "New mail", level: 1 }).waitFor();
    await page.getByLabel("Template", { exact: true }).selectOption("First offer");
    await page.getByRole("heading", { name: /^Offer for / }).waitFor();
    await press(page, "Send");
    await page.getByRole("heading", { name: "Outgoing", level: 1 }).waitFor();
    const first = page.getByRole("article").first();
    await first.getByText(/^Goes in/).waitFor();
    await press(page, "Undo");
    // It is as it was.
    await page.getByRole("heading", { name: "New mail", level: 1 }).waitFor();
    await page.getByRole("heading", { name: /^Offer for / }).waitFor();
    await press(page, "Send");
    await first.getByText("Sent", { exact: true }).waitFor({ timeout: 20_000 });
    await first.getByText(/Your copy lies in “Sent”/).waitFor();
  }));

test("what a template lacks is asked for by name, and keeps the mail until it is filled in", () =>
  on({ hash: "#/compose" }, async (page) => {
    await page.getByLabel("To", { exact: true }).fill("someone@new.example");
    await page.keyboard.press("Enter");
    await page.getByLabel("Template", { exact: true }).selectOption("Order question");
    await page.getByLabel("order_no").waitFor();
    await press(page, "Send");
    await page.getByText("Fill this in.").first().waitFor();
    assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), "New mail");
    for (const [name, value] of [["first_name", "Kim"], ["order_day", "3 March"], ["order_no", "20418"]]) await page.getByLabel(name).fill(value);
    await page.getByRole("heading", { name: "Your order 20418" }).waitFor();
    await press(page, "Send");
    await page.getByRole("heading", { name: "Outgoing", level: 1 }).waitFor();
  }));

test("contacts are found and chosen by the keyboard, and nobody is a fault that is told", () =>
  on({ hash: "#/compose" }, async (page) => {
    await press(page, "Send");
    await page.getByText("Name somebody who gets the mail.").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("role")), "combobox");
    await page.keyboard.type("lind");
    await page.getByRole("listbox").getByRole("option").first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: /^Remove .+@/ }).waitFor();
    await page.keyboard.type("nobody,");
    await page.keyboard.press("Tab");
    await page.getByText(/^This names nobody/).waitFor();
  }));

test("a refused mail says why and stays to be mended", () =>
  on({ hash: "#/compose", turn: "too_large" }, async (page) => {
    await page.getByLabel("To", { exact: true }).fill("carl@y.example");
    await page.keyboard.press("Tab");
    await page.getByLabel("Text", { exact: true }).fill("Dear Carl");
    await press(page, "Send");
    await page.getByText("The mail is not sent").waitFor();
    assert.equal(await page.getByLabel("Text", { exact: true }).inputValue(), "Dear Carl");
  }));

test("the relay is turned on, given a password and tried", () =>
  on({ hash: "#/settings/relay" }, async (page) => {
    await page.getByRole("switch", { name: "Relay" }).click();
    await page.getByText("Works", { exact: true }).waitFor();
    await press(page, "Test now");
    await page.getByText("The mailbox has no password for the relay yet.").waitFor();
    await press(page, "Make a password");
    await page.getByText(/shown this once/).waitFor();
    await press(page, "Test now");
    await page.getByText("The relay works. Nothing was sent.").waitFor();
    await page.getByRole("tab", { name: "Thunderbird" }).click();
    await page.getByText("Server name 127.0.0.1, port 1465, connection security SSL/TLS.").waitFor();
  }));

test("people who are asked about are answered one by one, and an answer is taken back", () =>
  on({ hash: "#/people" }, async (page) => {
    assert.equal(await page.getByRole("button", { name: "Add", exact: true }).count(), 3);
    await page.getByRole("group", { name: "Jana Pohl" }).getByRole("button", { name: "Add" }).click();
    await page.getByText("Jana Pohl becomes a contact.").waitFor();
    await page.waitForFunction(() => document.querySelectorAll(".answers").length === 2);
    await press(page, "Undo");
    await page.waitForFunction(() => document.querySelectorAll(".answers").length === 3);
  }));
