import { describe, expect, it, vi } from "vitest";
import type { Api } from "../api";
import { setApi } from "../index";
import { BrowserSignIn } from "./browser-sign-in.svelte";

function program(signIn: Api["signIn"]) {
  const api = { signIn: vi.fn(signIn), cancelSignIn: vi.fn(async () => {}) };
  setApi(api as Partial<Api> as Api);
  return api;
}

describe("signing in with the browser", () => {
  it("shows the page while it waits, and then that it is done", async () => {
    let finish = () => {};
    const api = program((_address, _provider, onPage) => {
      onPage("https://id.example/auth");
      return new Promise((resolve) => (finish = resolve));
    });
    const browser = new BrowserSignIn();
    const begun = browser.begin("ann@firm.example", "google");
    expect([browser.state, browser.page]).toEqual(["waiting", "https://id.example/auth"]);
    finish();
    expect(await begun).toBe(true);
    expect(browser.state).toBe("done");
    expect(api.signIn.mock.calls[0]?.slice(0, 2)).toEqual(["ann@firm.example", "google"]);
  });

  it("says why it was refused", async () => {
    const refused = { code: "no_oauth_app", message: "Not registered.", next: null, values: {} };
    program(() => Promise.reject(refused));
    const browser = new BrowserSignIn();
    expect(await browser.begin("ann@firm.example", "microsoft")).toBe(false);
    expect([browser.state, browser.error]).toEqual(["idle", refused]);
  });

  it("does not hear what comes of one that was taken back", async () => {
    let finish = () => {};
    const api = program(() => new Promise((resolve) => (finish = resolve)));
    const browser = new BrowserSignIn();
    const begun = browser.begin("ann@firm.example", "google");
    browser.cancel();
    expect(api.cancelSignIn).toHaveBeenCalledOnce();
    finish();
    expect(await begun).toBe(false);
    expect(browser.state).toBe("idle");
  });
});
