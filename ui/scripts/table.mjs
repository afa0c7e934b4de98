/**
 * Every picture, one row each. `screen` and `name` make the file's name, `scene` is the made-up engine's, `hash` the place.
 * Both themes are taken unless `themes` says else. `act(page)` brings the page to what is to be seen; `spins`: something
 * turns in it. German (`lang: "de"`) and small windows (`width`, `height`) are taken where long words may not fit.
 */
import { connect } from "./table-connect.mjs";

const SMALL = { width: 900, height: 600 };

export const table = [
  { screen: "overview", name: "healthy", scene: "healthy", hash: "#/overview" },
  { screen: "overview", name: "broken", scene: "broken", hash: "#/overview" },
  { screen: "overview", name: "broken-de-small", scene: "broken", hash: "#/overview", lang: "de", ...SMALL },
  { screen: "overview", name: "empty", scene: "empty", hash: "#/overview" },
  { screen: "overview", name: "offline", scene: "offline", hash: "#/overview" },
  { screen: "overview", name: "paused", scene: "paused", hash: "#/overview" },
  { screen: "overview", name: "busy", scene: "busy", hash: "#/overview" },
  { screen: "overview", name: "hostile", scene: "hostile", hash: "#/overview", themes: ["light"] },
  { screen: "overview", name: "pause-menu", scene: "healthy", hash: "#/overview", themes: ["light"], act: (page) => page.getByRole("button", { name: "Pause" }).first().click() },
  { screen: "overview", name: "outage", scene: "broken", hash: "#/overview", act: (page) => page.locator(".strip button.marked").first().click() },
  { screen: "overview", name: "set-aside", scene: "broken", hash: "#/overview", act: (page) => page.getByRole("button", { name: /set aside/ }).first().click() },

  { screen: "activity", name: "healthy", scene: "healthy", hash: "#/activity" },
  { screen: "activity", name: "broken", scene: "broken", hash: "#/activity" },
  { screen: "activity", name: "broken-de-small", scene: "broken", hash: "#/activity", lang: "de", ...SMALL },
  { screen: "activity", name: "empty", scene: "empty", hash: "#/activity" },
  { screen: "activity", name: "hostile", scene: "hostile", hash: "#/activity", themes: ["light"] },

  { screen: "threads", name: "list", scene: "healthy", hash: "#/threads" },
  { screen: "threads", name: "open", scene: "healthy", hash: "#/threads/3" },
  { screen: "threads", name: "open-de-small", scene: "healthy", hash: "#/threads/3", lang: "de", ...SMALL },
  { screen: "threads", name: "plain-text", scene: "healthy", hash: "#/threads/3", themes: ["light"], act: (page) => page.getByRole("button", { name: "Plain text" }).first().click() },
  { screen: "threads", name: "actions", scene: "healthy", hash: "#/threads/3", themes: ["light"], act: (page) => page.getByRole("button", { name: "Actions for this conversation" }).click() },
  { screen: "threads", name: "many", scene: "many", hash: "#/threads", themes: ["light"] },
  { screen: "threads", name: "empty", scene: "empty", hash: "#/threads" },
  { screen: "threads", name: "no-match", scene: "healthy", hash: "#/threads", themes: ["light"], act: async (page) => { await page.getByRole("searchbox").fill("zebra crossing"); await page.getByText("Nothing fits").waitFor(); } },
  { screen: "threads", name: "questions", scene: "healthy", hash: "#/threads", act: async (page) => { await page.getByRole("tab", { name: /Questions/ }).click(); await page.getByRole("checkbox").nth(1).check(); } },
  { screen: "threads", name: "hostile", scene: "hostile", hash: "#/threads/1", act: (page) => page.frameLocator("iframe").first().locator("h1").waitFor() },
  { screen: "threads", name: "where", scene: "healthy", hash: "#/threads", act: async (page) => { await page.getByRole("button", { name: "Where is my mail?" }).click(); await page.getByLabel("Recipient or subject").fill("oak"); await page.getByRole("button", { name: "Look" }).click(); } },

  ...["mailboxes", "network", "crm", "rules", "retention", "notifications", "appearance", "data", "about"].map((page) => ({
    screen: "settings", name: page, scene: "healthy", hash: `#/settings/${page}`,
  })),
  { screen: "settings", name: "rules-de-small", scene: "healthy", hash: "#/settings/rules", lang: "de", ...SMALL },
  { screen: "settings", name: "network-de", scene: "healthy", hash: "#/settings/network", lang: "de", height: 1400, themes: ["light"], act: async (page) => { await page.locator("summary, button[aria-expanded]").last().click(); await page.getByLabel("Weg ins Internet").selectOption("socks5"); } },
  { screen: "settings", name: "crm-broken", scene: "broken", hash: "#/settings/crm", themes: ["light"] },
  { screen: "settings", name: "delete", scene: "healthy", hash: "#/settings/data", themes: ["light"], act: (page) => page.getByRole("button", { name: "Delete everything" }).click() },

  { screen: "diagnostics", name: "log", scene: "broken", hash: "#/diagnostics" },
  { screen: "diagnostics", name: "log-de-small", scene: "broken", hash: "#/diagnostics", lang: "de", ...SMALL },
  { screen: "diagnostics", name: "bundle", scene: "broken", hash: "#/diagnostics", act: (page) => page.getByRole("button", { name: /Bundle/ }).click() },

  { screen: "window", name: "starting", scene: "starting", hash: "#/overview", spins: true },
  { screen: "window", name: "held", scene: "held", hash: "#/overview" },
  { screen: "window", name: "keychain", scene: "keychain", hash: "#/overview" },
  { screen: "window", name: "keychain-de-small", scene: "keychain", hash: "#/overview", lang: "de", ...SMALL },
  { screen: "window", name: "stopped", scene: "stopped", hash: "#/overview" },
  { screen: "window", name: "mute", scene: "mute", hash: "#/overview", themes: ["light"] },
  { screen: "window", name: "notray", scene: "notray", hash: "#/overview" },

  ...connect,
];
