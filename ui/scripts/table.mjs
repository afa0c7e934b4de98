/**
 * Every picture, one row each. `screen` and `name` make the file's name, `scene` is the made-up engine's, `hash` the place.
 * Both themes are taken unless `themes` says else. `act(page)` brings the page to what is to be seen; `spins`: something
 * turns in it. German (`lang: "de"`) and small windows (`width`, `height`) are taken where long words may not fit.
 */
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

  { screen: "window", name: "starting", scene: "starting", hash: "#/overview", spins: true },
  { screen: "window", name: "held", scene: "held", hash: "#/overview" },
  { screen: "window", name: "keychain", scene: "keychain", hash: "#/overview" },
  { screen: "window", name: "keychain-de-small", scene: "keychain", hash: "#/overview", lang: "de", ...SMALL },
  { screen: "window", name: "stopped", scene: "stopped", hash: "#/overview" },
  { screen: "window", name: "notray", scene: "notray", hash: "#/overview" },
];
