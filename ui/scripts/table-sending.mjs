/** Pictures of what sends: a new mail, the list of mails, people who are asked about, the relay. */

const SMALL = { width: 900, height: 600 };
/** A new mail to a contact, as a conversation leads to it. */
const TO = "#/compose/ann.keller%40northwind-lab.example/Mara%20Lindqvist%20%3Cmara.lindqvist%40halden-optics.example%3E";

async function template(page, name, label = "Template") {
  await page.getByLabel(label, { exact: true }).selectOption(name);
}

async function filled(page) {
  await template(page, "First offer");
  await page.locator("p.mail-text, iframe").first().waitFor();
}

async function gaps(page) {
  await template(page, "Order question");
  await page.locator(".gaps input").first().waitFor();
}

export const sending = [
  { screen: "compose", name: "empty", scene: "healthy", hash: "#/compose" },
  { screen: "compose", name: "filled", scene: "healthy", hash: TO, act: async (page) => { await filled(page); await page.getByRole("button", { name: "Attach files…" }).click(); await page.getByText("Offer-2026-0117.pdf").waitFor(); } },
  { screen: "compose", name: "gaps", scene: "healthy", hash: TO, act: async (page) => { await gaps(page); await page.getByRole("button", { name: "Send", exact: true }).click(); } },
  { screen: "compose", name: "html-de-small", scene: "healthy", hash: TO, lang: "de", ...SMALL, height: 1400, act: async (page) => { await template(page, "Order question", "Vorlage"); const fields = page.locator(".gaps input"); await fields.first().waitFor(); await fields.nth(0).fill("3. März"); await fields.nth(1).fill("20418"); await page.locator("iframe").waitFor(); } },
  { screen: "compose", name: "nobody", scene: "healthy", hash: "#/compose", themes: ["light"], act: (page) => page.getByRole("button", { name: "Send", exact: true }).click() },
  { screen: "compose", name: "contacts", scene: "healthy", hash: "#/compose", themes: ["light"], act: async (page) => { await page.getByLabel("To", { exact: true }).fill("lin"); await page.getByRole("listbox").getByRole("option").first().waitFor(); await page.keyboard.press("ArrowDown"); } },
  { screen: "compose", name: "refused", scene: "healthy", turn: "too_large", hash: TO, themes: ["light"], act: async (page) => { await page.getByLabel("Text", { exact: true }).fill("Dear Mara"); await page.locator(".banner").first().waitFor(); } },
  { screen: "compose", name: "later", scene: "healthy", hash: TO, themes: ["light"], act: async (page) => { await page.getByLabel("Text", { exact: true }).fill("Dear Mara"); await page.getByRole("button", { name: "Send later" }).click(); } },
  { screen: "compose", name: "keep", scene: "healthy", hash: TO, themes: ["light"], act: async (page) => { await page.getByLabel("Subject").fill("Visit"); await page.getByRole("button", { name: "Manage templates" }).click(); await page.getByRole("menuitem", { name: /^Keep as/ }).click(); } },
  { screen: "compose", name: "undo", scene: "healthy", hash: TO, act: async (page) => { await filled(page); await page.getByRole("button", { name: "Send", exact: true }).click(); await page.getByRole("button", { name: "Undo" }).waitFor(); } },
  { screen: "compose", name: "refused-de", scene: "healthy", turn: "too_large", hash: TO, lang: "de", themes: ["light"], act: async (page) => { await page.getByLabel("Text", { exact: true }).fill("Guten Tag"); await page.locator(".banner").first().waitFor(); } },
  { screen: "settings", name: "relay-failed-de", scene: "healthy", turn: "relay_failed", hash: "#/settings/relay", lang: "de", themes: ["light"] },
  { screen: "outgoing", name: "filled", scene: "healthy", hash: "#/outgoing", height: 1000 },
  { screen: "outgoing", name: "de-small", scene: "healthy", hash: "#/outgoing", lang: "de", ...SMALL, themes: ["light"] },
  { screen: "outgoing", name: "empty", scene: "empty", hash: "#/outgoing" },
  { screen: "outgoing", name: "hostile", scene: "hostile", hash: "#/outgoing", themes: ["light"] },
  { screen: "people", name: "asked", scene: "healthy", hash: "#/people" },
  { screen: "people", name: "asked-de-small", scene: "healthy", hash: "#/people", lang: "de", ...SMALL, themes: ["light"] },
  { screen: "people", name: "empty", scene: "empty", hash: "#/people", themes: ["light"] },
  { screen: "settings", name: "relay-off", scene: "healthy", hash: "#/settings/relay" },
  { screen: "settings", name: "relay-on", scene: "healthy", turn: "relay", hash: "#/settings/relay", height: 1500 },
  { screen: "settings", name: "relay-tested", scene: "healthy", turn: "relay", hash: "#/settings/relay", height: 1500, themes: ["light"], act: async (page) => { await page.getByRole("button", { name: /^Make another one; the old/ }).click(); await page.getByText("shown this once").waitFor(); await page.getByRole("button", { name: "Test now" }).click(); await page.getByText("The relay works").waitFor(); } },
  { screen: "settings", name: "relay-refused-de", scene: "healthy", turn: "relay_refused", hash: "#/settings/relay", lang: "de", height: 1500, themes: ["light"], act: async (page) => { await page.getByRole("button", { name: "Jetzt testen" }).click(); await page.getByText("535 5.7.139").waitFor(); } },
  { screen: "settings", name: "relay-failed", scene: "healthy", turn: "relay_failed", hash: "#/settings/relay" },
  { screen: "overview", name: "relay", scene: "healthy", turn: "relay_unseen", hash: "#/overview", height: 1000 },
];
