/**
 * Every picture, one row each. `screen` and `name` make the file's name, `scene` is the made-up engine's, `hash` the place.
 * Both themes are taken unless `themes` says else. `act(page)` brings the page to what is to be seen; `spins`: something
 * turns in it. German (`lang: "de"`) and small windows (`width`, `height`) are taken where long words may not fit.
 */
import { connect } from "./table-connect.mjs";
import { sending } from "./table-sending.mjs";

const SMALL = { width: 900, height: 600 };

const actions = (page) => page.getByRole("button", { name: "Actions for this conversation" }).click();

/** Runs the audit to its end. */
async function audit(page, name = "Check now") {
  await page.getByRole("button", { name }).click();
  await page.locator(".banner").first().waitFor();
}

export const table = [
  { screen: "overview", name: "healthy", scene: "healthy", hash: "#/overview" },
  { screen: "overview", name: "broken", scene: "broken", hash: "#/overview" },
  { screen: "overview", name: "broken-de-small", scene: "broken", hash: "#/overview", lang: "de", ...SMALL },
  { screen: "overview", name: "empty", scene: "empty", hash: "#/overview" },
  { screen: "overview", name: "offline", scene: "offline", hash: "#/overview" },
  { screen: "overview", name: "paused", scene: "paused", hash: "#/overview" },
  { screen: "overview", name: "busy", scene: "busy", hash: "#/overview" },
  { screen: "overview", name: "hostile", scene: "hostile", hash: "#/overview" },
  { screen: "overview", name: "pause-menu", scene: "healthy", hash: "#/overview", act: (page) => page.getByRole("button", { name: "Pause" }).first().click() },
  { screen: "overview", name: "outage", scene: "broken", hash: "#/overview", act: (page) => page.locator(".strip button.marked").first().click() },
  { screen: "overview", name: "set-aside", scene: "broken", hash: "#/overview", height: 1000, act: async (page) => { await page.getByRole("button", { name: /set aside/ }).first().click(); await page.getByRole("button", { name: "Try all again" }).scrollIntoViewIfNeeded(); } },

  { screen: "activity", name: "healthy", scene: "healthy", hash: "#/activity" },
  { screen: "activity", name: "broken", scene: "broken", hash: "#/activity" },
  { screen: "activity", name: "broken-de-small", scene: "broken", hash: "#/activity", lang: "de", ...SMALL },
  { screen: "activity", name: "empty", scene: "empty", hash: "#/activity" },
  { screen: "activity", name: "hostile", scene: "hostile", hash: "#/activity", themes: ["light"] },

  { screen: "threads", name: "list", scene: "healthy", hash: "#/threads" },
  { screen: "threads", name: "open", scene: "healthy", hash: "#/threads/4" },
  { screen: "threads", name: "open-de-small", scene: "healthy", hash: "#/threads/3", lang: "de", ...SMALL },
  { screen: "threads", name: "contact", scene: "healthy", hash: "#/threads/3", themes: ["light"], act: async (page) => { await actions(page); await page.getByRole("menuitem", { name: /^All conversations with/ }).click(); } },
  { screen: "threads", name: "apart", scene: "healthy", hash: "#/threads/5" },
  { screen: "threads", name: "apart-de-small", scene: "healthy", hash: "#/threads/5", lang: "de", ...SMALL, themes: ["light"] },
  { screen: "threads", name: "join", scene: "healthy", hash: "#/threads/5", act: async (page) => { await actions(page); await page.getByRole("menuitem", { name: /^Put into another/ }).click(); await page.getByRole("button", { name: /^Put in here/ }).first().waitFor(); } },
  { screen: "threads", name: "split", scene: "healthy", hash: "#/threads/2", themes: ["light"], act: async (page) => { await page.getByRole("button", { name: "Actions for this message" }).last().click(); } },
  { screen: "threads", name: "hold", scene: "healthy", hash: "#/threads/2", themes: ["light"], act: async (page) => { await actions(page); await page.getByRole("menuitem", { name: /^Keep under legal hold/ }).click(); await page.locator(".toast").waitFor(); } },
  { screen: "threads", name: "text-gone", scene: "healthy", hash: "#/threads/430" },
  { screen: "threads", name: "text-again-de", scene: "healthy", hash: "#/threads/430", lang: "de", themes: ["light"], act: async (page) => { await page.getByRole("button", { name: /^Noch einmal aus dem Postfach/ }).last().click(); await page.locator("p.mail-text").waitFor(); } },
  { screen: "threads", name: "plain-text", scene: "healthy", hash: "#/threads/3", themes: ["light"], act: (page) => page.getByRole("button", { name: "Plain text" }).first().click() },
  { screen: "threads", name: "actions", scene: "healthy", hash: "#/threads/3", act: actions },
  { screen: "threads", name: "past", scene: "healthy", hash: "#/threads/3", act: async (page) => { await actions(page); await page.getByRole("menuitem", { name: /^Stop logging Yuki/ }).click(); await page.getByRole("button", { name: "Take out" }).waitFor(); } },
  { screen: "threads", name: "past-de-small", scene: "healthy", hash: "#/threads/3", lang: "de", ...SMALL, themes: ["light"], act: async (page) => { await page.getByRole("button", { name: "Aktionen für diese Unterhaltung" }).click(); await page.getByRole("menuitem", { name: /^Yuki Sommer nicht mehr/ }).click(); await page.getByRole("button", { name: "Herausnehmen" }).waitFor(); } },
  { screen: "threads", name: "many", scene: "many", hash: "#/threads", themes: ["light"] },
  { screen: "threads", name: "empty", scene: "empty", hash: "#/threads" },
  { screen: "threads", name: "no-match", scene: "healthy", hash: "#/threads", themes: ["light"], act: async (page) => { await page.getByRole("searchbox").fill("zebra crossing"); await page.getByText("Nothing fits").waitFor(); } },
  { screen: "threads", name: "questions", scene: "healthy", hash: "#/threads", act: async (page) => { await page.getByRole("tab", { name: /Questions/ }).click(); await page.getByRole("checkbox").nth(1).check(); } },
  { screen: "threads", name: "hostile", scene: "hostile", hash: "#/threads/1", act: (page) => page.frameLocator("iframe").first().locator("h1").waitFor() },
  { screen: "threads", name: "where", scene: "healthy", hash: "#/threads", act: async (page) => { await page.getByRole("button", { name: "Where is my mail?" }).click(); await page.getByLabel("Recipient or subject").fill("oak"); await page.getByRole("button", { name: "Look" }).click(); } },
  { screen: "threads", name: "where-never", scene: "healthy", hash: "#/threads", themes: ["light"], act: async (page) => { await page.getByRole("button", { name: "Where is my mail?" }).click(); await page.getByLabel("Recipient or subject").fill("lunch"); await page.getByRole("button", { name: "Look" }).click(); await page.getByRole("button", { name: "Log this mail" }).click(); await page.getByText("A never-log rule keeps it out").waitFor(); } },

  { screen: "proof", name: "coverage", scene: "healthy", hash: "#/proof", height: 1100, act: (page) => audit(page) },
  { screen: "proof", name: "coverage-last", scene: "healthy", hash: "#/proof", themes: ["light"] },
  { screen: "proof", name: "coverage-missed", scene: "broken", hash: "#/proof", height: 1100, act: (page) => audit(page) },
  { screen: "proof", name: "coverage-missed-de-small", scene: "broken", hash: "#/proof", lang: "de", ...SMALL, act: (page) => audit(page, "Jetzt prüfen") },
  { screen: "proof", name: "coverage-fixed", scene: "broken", hash: "#/proof", themes: ["light"], act: async (page) => { await audit(page); await page.getByRole("button", { name: "Fix", exact: true }).click(); await page.getByText("Check again in a moment").waitFor(); } },
  { screen: "proof", name: "coverage-running", scene: "healthy", hash: "#/proof", turn: "stuck.audit", spins: true, act: async (page) => { await page.getByRole("button", { name: "Check now" }).click(); await page.locator("[role=progressbar]").waitFor(); } },
  { screen: "proof", name: "coverage-failed", scene: "healthy", hash: "#/proof", turn: "unread", themes: ["light"], act: (page) => audit(page) },
  { screen: "proof", name: "coverage-empty", scene: "empty", hash: "#/proof", themes: ["light"] },
  { screen: "proof", name: "left", scene: "healthy", hash: "#/proof/left" },
  { screen: "proof", name: "left-de-small", scene: "healthy", hash: "#/proof/left", lang: "de", ...SMALL, themes: ["light"] },
  { screen: "proof", name: "left-empty", scene: "empty", hash: "#/proof/left", themes: ["light"] },
  { screen: "proof", name: "trash", scene: "healthy", hash: "#/proof/trash" },
  { screen: "proof", name: "trash-empty", scene: "empty", hash: "#/proof/trash", themes: ["light"] },

  ...["mailboxes", "network", "crm", "rules", "retention", "notifications", "appearance", "data", "about"].map((page) => ({
    screen: "settings", name: page, scene: "healthy", hash: `#/settings/${page}`,
  })),
  { screen: "settings", name: "rules-order", scene: "healthy", hash: "#/settings/rules", height: 1400, act: (page) => page.locator("summary").first().click() },
  { screen: "settings", name: "rules-order-de", scene: "healthy", hash: "#/settings/rules", lang: "de", height: 1400, themes: ["light"], act: (page) => page.locator("summary").first().click() },
  { screen: "settings", name: "rules-explain", scene: "healthy", hash: "#/settings/rules", act: async (page) => { await page.getByLabel("An address").fill("stranger@oak.example"); await page.getByRole("button", { name: "Explain" }).click(); await page.getByText("No contact.").scrollIntoViewIfNeeded(); } },
  { screen: "settings", name: "rules-try", scene: "healthy", hash: "#/settings/rules", height: 1000, act: async (page) => { await page.getByRole("button", { name: "Try", exact: true }).click(); await page.locator(".trial").waitFor(); await page.getByRole("heading", { name: "Try the rules" }).evaluate((heading) => { heading.closest(".page").scrollTop += heading.getBoundingClientRect().top - 90; }); } },
  { screen: "settings", name: "rules-try-running", scene: "healthy", hash: "#/settings/rules", turn: "stuck.history", spins: true, themes: ["light"], act: async (page) => { await page.getByRole("button", { name: "Try", exact: true }).click(); await page.locator("[role=progressbar]").scrollIntoViewIfNeeded(); } },
  { screen: "settings", name: "rules-gestures", scene: "healthy", hash: "#/settings/rules", act: async (page) => { await page.getByRole("button", { name: "Make the folder" }).click(); await page.getByText("is logged.").last().scrollIntoViewIfNeeded(); } },
  { screen: "settings", name: "crm-text-de", scene: "healthy", hash: "#/settings/crm", lang: "de", height: 1200, themes: ["light"] },
  { screen: "settings", name: "rules-private", scene: "healthy", hash: "#/settings/rules", themes: ["light"], act: async (page) => { await page.getByRole("button", { name: "For 1 hour" }).click(); await page.getByRole("button", { name: "End it now" }).waitFor(); } },
  { screen: "settings", name: "rules-changed", scene: "healthy", hash: "#/settings/rules", act: (page) => page.getByLabel("Everyone outside").check() },
  { screen: "settings", name: "retention-de", scene: "healthy", hash: "#/settings/retention", lang: "de", height: 1100, themes: ["light"] },
  { screen: "settings", name: "retention-due", scene: "healthy", hash: "#/settings/retention", height: 1100, act: async (page) => { await page.getByRole("button", { name: "What would go now?" }).click(); await page.getByRole("button", { name: "Let it go now" }).scrollIntoViewIfNeeded(); } },
  { screen: "settings", name: "retention-hold", scene: "healthy", hash: "#/settings/retention", height: 1100, themes: ["light"], act: async (page) => { await page.getByRole("switch").click(); await page.getByRole("button", { name: "What would go now?" }).click(); await page.getByText("Nothing: legal hold is on.").scrollIntoViewIfNeeded(); } },
  { screen: "settings", name: "files", scene: "healthy", hash: "#/settings/crm", act: (page) => page.getByText("By the ending of the name").scrollIntoViewIfNeeded() },
  { screen: "settings", name: "rules-de-small", scene: "healthy", hash: "#/settings/rules", lang: "de", ...SMALL },
  { screen: "settings", name: "network-de", scene: "healthy", hash: "#/settings/network", lang: "de", height: 1400, themes: ["light"], act: async (page) => { await page.locator("summary, button[aria-expanded]").last().click(); await page.getByLabel("Weg ins Internet").selectOption("socks5"); } },
  { screen: "settings", name: "crm-broken", scene: "broken", hash: "#/settings/crm" },
  { screen: "settings", name: "delete", scene: "healthy", hash: "#/settings/data", act: (page) => page.getByRole("button", { name: "Delete everything" }).click() },

  { screen: "diagnostics", name: "log", scene: "broken", hash: "#/diagnostics" },
  { screen: "diagnostics", name: "log-de-small", scene: "broken", hash: "#/diagnostics", lang: "de", ...SMALL },
  { screen: "diagnostics", name: "bundle", scene: "broken", hash: "#/diagnostics", act: (page) => page.getByRole("button", { name: /Bundle/ }).click() },

  { screen: "it-setup", name: "shown", scene: "healthy", hash: "#/it_setup" },
  { screen: "it-setup", name: "shown-de-small", scene: "healthy", hash: "#/it_setup", lang: "de", ...SMALL },
  { screen: "settings", name: "update", scene: "healthy", hash: "#/settings/about", themes: ["light"], act: async (page) => { await page.getByRole("button", { name: "Check for updates" }).click(); await page.getByText("Version 0.2.0 is there").waitFor(); } },

  { screen: "window", name: "starting", scene: "starting", hash: "#/overview", spins: true },
  { screen: "window", name: "held", scene: "held", hash: "#/overview" },
  { screen: "window", name: "keychain", scene: "keychain", hash: "#/overview" },
  { screen: "window", name: "keychain-de-small", scene: "keychain", hash: "#/overview", lang: "de", ...SMALL },
  { screen: "window", name: "stopped", scene: "stopped", hash: "#/overview" },
  { screen: "window", name: "mute", scene: "mute", hash: "#/overview" },
  { screen: "window", name: "damaged", scene: "damaged", hash: "#/overview" },
  { screen: "window", name: "notray", scene: "notray", hash: "#/overview" },

  ...connect,
  ...sending,
];
