/** The pictures of set-up and reconnect: rows of `table.mjs`. */
const SMALL = { width: 900, height: 600 };

/** Presses the primary action at the window's foot. */
const next = (page) => page.locator("footer button[type=submit]").click();
const heading = (page, text) => page.locator("h2", { hasText: text }).waitFor();

async function account(page, address = "ann@firm.example") {
  await page.locator("input[type=email]").fill(address);
  await next(page);
  // Or, where the sign-in is in the browser, its button.
  await page.locator("input[type=password], .browser button").first().waitFor();
}

async function crm(page, address) {
  await account(page, address);
  const confirm = page.locator(".confirm input");
  if ((await confirm.count()) > 0) await confirm.check();
  await page.locator("input[type=password]").fill("a password");
  await next(page);
  await page.locator("input[name=crm]").first().waitFor();
}

const choose = (page, value) => page.locator(`input[value=${value}]`).check();

async function check(page) {
  await crm(page);
  await next(page);
  await page.locator("ol.check").waitFor();
}

/** The check to its end; the button says "Start logging" or "Check again". */
async function checked(page) {
  await check(page);
  await page.locator("footer button[type=submit]:not([aria-busy])").waitFor();
}

async function mail(page) {
  await checked(page);
  await next(page);
  await page.locator(".folders").waitFor();
}

async function history(page) {
  await mail(page);
  await next(page);
  await heading(page, /30/);
}

async function trial(page) {
  await history(page);
  await next(page);
  await page.locator(".figures").waitFor();
}

async function reconnect(page) {
  await page.locator("h2").waitFor();
  const password = page.locator("input[type=password]");
  await password.fill("the new password");
  await next(page);
  await page.locator("footer button[type=submit]:not([aria-busy])").waitFor();
}

const setup = (name, act, more = {}) => ({ screen: "setup", name, scene: "empty", hash: "#/setup", act, ...more });
const broken = (name, act, more = {}) => ({ screen: "reconnect", name, scene: "broken", hash: "#/reconnect/ann.keller%40northwind-lab.example", act, ...more });
const de = { lang: "de" };

export const connect = [
  setup("address", undefined),
  setup("address-de-small", undefined, { ...de, ...SMALL }),
  setup("address-wrong", async (page) => {
    await page.locator("input[type=email]").fill("ann.firm.example");
    await next(page);
  }, { themes: ["light"] }),
  setup("discovering", async (page) => {
    await page.locator("input[type=email]").fill("ann@firm.example");
    await next(page);
    await page.locator(".asking").waitFor();
  }, { turn: "stuck.discover", spins: true }),
  setup("account", account),
  setup("account-open-de", async (page) => {
    await account(page);
    await page.locator("summary").click();
  }, de),
  setup("account-app-password", (page) => account(page, "ann@gmail.example")),
  setup("account-oauth-de", (page) => account(page, "ann@outlook.example"), de),
  setup("account-unregistered", async (page) => {
    await account(page, "ann@gmail.example");
    await page.getByRole("button", { name: "Sign in with the browser instead" }).click();
    await page.locator("summary").first().click();
  }, { height: 1200 }),
  setup("account-untrusted", async (page) => {
    await account(page, "ann@guess.example");
    await page.locator("input[type=password]").fill("a password");
    await next(page);
  }),
  setup("account-none", (page) => account(page, "ann@unknown.example")),
  setup("account-unreachable-de", (page) => account(page), { turn: "unreachable", ...de, themes: ["light"] }),
  setup("account-pop3", (page) => account(page, "ann@pop3.example")),
  setup("account-pop3-alone-de", (page) => account(page, "ann@pop3alone.example"), { ...de, themes: ["light"] }),
  setup("account-pop3-text-de", async (page) => {
    await account(page, "ann@pop3.example");
    await page.locator("summary").first().click();
  }, { ...de, height: 1000 }),
  setup("crm-folder", (page) => crm(page), { height: 1000 }),
  setup("crm-hubspot", async (page) => {
    await crm(page);
    await choose(page, "hubspot");
    await page.locator("input[type=password]").fill("pat-eu1-0000");
    await page.locator(".try button").click();
  }, { height: 1000 }),
  setup("crm-hubspot-wrong-de", async (page) => {
    await crm(page);
    await choose(page, "hubspot");
    await page.locator("input[type=password]").fill("wrong");
    await next(page);
    await page.locator("[role=alert] .title").waitFor();
  }, { ...de, height: 1000 }),
  setup("crm-hubspot-scope-de", async (page) => {
    await crm(page);
    await choose(page, "hubspot");
    await page.locator("input[type=password]").fill("few scopes");
    await page.locator(".try button").click();
    await page.locator(".detail .banner").waitFor();
  }, { ...de, height: 1100, themes: ["light"] }),
  setup("crm-webhook-de", async (page) => {
    await crm(page);
    await choose(page, "webhook");
    await page.locator("input[type=url]").fill("http://crm.firm.example/mails");
    await next(page);
  }, { ...de, height: 1100 }),
  setup("crm-ledger", async (page) => {
    await crm(page);
    await choose(page, "ledger");
    await choose(page, "only_when_i_say");
  }, { ...SMALL, themes: ["light"] }),
  setup("check-running", check, { turn: "stuck.capabilities", spins: true }),
  setup("check-fine", checked),
  setup("check-password", checked, { turn: "fail.sign_in.credentials_rejected" }),
  setup("check-password-back", async (page) => {
    await checked(page);
    await page.locator(".offer button").click();
    await page.locator("input[type=password]").waitFor();
  }, { turn: "fail.sign_in.credentials_rejected", themes: ["light"] }),
  setup("check-dns-de", checked, { turn: "fail.dns.dns_failure", ...de }),
  setup("check-tcp", checked, { turn: "fail.tcp.connection_refused", themes: ["light"] }),
  setup("check-certificate", checked, { turn: "fail.tls.tls_untrusted", height: 1000 }),
  setup("check-certificate-de", checked, { turn: "fail.tls.tls_untrusted", height: 1000, ...de, themes: ["light"] }),
  setup("check-greeting-pop3", async (page) => {
    await account(page);
    await page.locator("summary").click();
    await page.locator("fieldset input").first().fill("mail.firm.example");
    await page.locator("input[type=password]").fill("a password");
    await next(page);
    await page.locator("input[name=crm]").first().waitFor();
    await next(page);
    await page.locator(".offer .banner button").waitFor();
  }, { turn: "fail.greeting.pop3_configured", height: 1000 }),
  setup("check-capabilities", checked, { turn: "fail.capabilities.protocol_error", themes: ["light"] }),
  setup("check-inbox-it-de", checked, { turn: "fail.inbox.mailbox_unreachable", height: 1200, ...de }),
  setup("check-sent", checked, { turn: "fail.sent.folder_missing", themes: ["light"] }),
  setup("check-smtp-certificate-de", checked, { turn: "fail.smtp.tls_untrusted", height: 1200, ...de, themes: ["light"] }),
  setup("check-smtp", checked, { turn: "fail.smtp.smtp_auth_disabled" }),
  setup("check-smtp-without", async (page) => {
    await checked(page);
    await page.locator(".offer button").click();
    await page.locator(".banner[data-tone=busy]").waitFor();
  }, { turn: "fail.smtp.smtp_auth_disabled", themes: ["light"] }),
  setup("check-crm", checked, { turn: "fail.crm.crm_token_rejected", themes: ["light"] }),
  setup("mail-waiting", mail, { turn: "silent" }),
  setup("mail-late", async (page) => {
    await mail(page);
    await page.clock.install();
    await page.clock.fastForward(75_000);
    await page.locator(".hints").waitFor();
  }, { turn: "silent", moving: true }),
  setup("mail-late-de-small", async (page) => {
    await mail(page);
    await page.clock.install();
    await page.clock.fastForward(75_000);
    await page.locator(".hints").waitFor();
  }, { turn: "silent", moving: true, ...de, ...SMALL, themes: ["light"] }),
  setup("mail-seen", async (page) => {
    await mail(page);
    await page.locator(".verdict").waitFor();
  }),
  setup("mail-seen-asked-de", async (page) => {
    await mail(page);
    await page.locator(".verdict").waitFor();
  }, { turn: "unknown_recipient", ...de, themes: ["light"] }),
  setup("history", history),
  setup("history-looking", async (page) => {
    await history(page);
    await next(page);
    await page.locator("[role=progressbar]").waitFor();
  }, { turn: "stuck.history", spins: true }),
  setup("history-trial", trial, { height: 900 }),
  setup("history-trial-de", trial, { ...de, height: 900 }),
  setup("history-failed", async (page) => {
    await trial(page);
    await next(page);
    await page.locator("[role=alert] .title").waitFor();
  }, { turn: "unread", themes: ["light"] }),
  setup("history-done", async (page) => {
    await trial(page);
    await next(page);
    await page.locator(".done[role=status]").waitFor();
  }),

  broken("password", (page) => page.locator("h2").waitFor()),
  broken("password-de-small", (page) => page.locator("h2").waitFor(), { ...de, ...SMALL }),
  broken("password-missing", async (page) => {
    await page.locator("h2").waitFor();
    await next(page);
  }, { themes: ["light"] }),
  broken("host", (page) => page.locator("h2").waitFor(), { turn: "fail.dns.dns_failure" }),
  broken("administrator", (page) => page.locator("h2").waitFor(), { turn: "fail.sign_in.imap_disabled_by_admin", height: 1000 }),
  broken("administrator-de", (page) => page.locator("h2").waitFor(), { turn: "fail.sign_in.imap_disabled_by_admin", height: 1000, ...de, themes: ["light"] }),
  broken("nobody-de", (page) => page.locator("h2").waitFor(), { turn: "fail.tcp.connection_timeout", ...de }),
  broken("provider", async (page) => page.locator("h2").waitFor(), { turn: "advised" }),
  broken("folder-de", async (page) => {
    await page.locator("h2").waitFor();
    await next(page);
    await page.locator(".sent").waitFor();
  }, { turn: "fail.sent.folder_missing", ...de, height: 1100, themes: ["light"] }),
  broken("checking", async (page) => {
    await page.locator("input[type=password]").fill("the new password");
    await next(page);
    await page.locator("ol.check").waitFor();
  }, { turn: "stuck.sign_in", spins: true }),
  broken("again-wrong", async (page) => {
    await page.locator("input[type=password]").fill("wrong");
    await next(page);
    await page.locator(".offer").waitFor();
  }),
  broken("certificate-de", async (page) => {
    await reconnect(page);
  }, { turn: "fail.tls.tls_untrusted", ...de, height: 1200, themes: ["light"] }),
  broken("other", reconnect, { turn: "other" }),
  broken("other-moved", async (page) => {
    await reconnect(page);
    await page.locator("summary").click();
  }, { turn: "other", themes: ["light"] }),
  broken("other-de", reconnect, { turn: "other", ...de, themes: ["light"] }),
  broken("catching-up", reconnect, { turn: "stuck.catch_up", spins: true }),
  broken("done", async (page) => {
    await reconnect(page);
    await page.locator("dl.done").waitFor();
  }),
  broken("done-de", async (page) => {
    await reconnect(page);
    await page.locator("dl.done").waitFor();
  }, { ...de, themes: ["light"] }),
  broken("gap", async (page) => {
    await reconnect(page);
    await page.locator("dl.done").waitFor();
  }, { turn: "gap" }),
  broken("gap-de-small", async (page) => {
    await reconnect(page);
    await page.locator("dl.done").waitFor();
  }, { turn: "gap", ...de, ...SMALL, themes: ["light"] }),
];
