import { flushSync, mount, tick, unmount } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";
import { fakeApi } from "../../lib/fake/index";
import { setApi } from "../../lib/index";
import { setStatus } from "../../lib/session.svelte";
import Setup from "./Setup.svelte";

let shown: Record<string, unknown> | null = null;
afterEach(async () => {
  if (shown !== null) await unmount(shown);
  shown = null;
  setStatus({ running: null, mailboxes: [], crms: [], unusable_crms: [] });
});

function open(turn = ""): HTMLElement {
  setApi(fakeApi(new URLSearchParams({ scene: "empty", clock: "2026-03-12T09:24:00Z", case: turn })));
  const target = document.body.appendChild(document.createElement("div"));
  shown = mount(Setup, { target });
  flushSync();
  return target;
}

function type(target: HTMLElement, selector: string, text: string): void {
  const input = target.querySelector<HTMLInputElement>(selector);
  if (input === null) throw new Error(`There is no ${selector}.`);
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  flushSync();
}

function submit(target: HTMLElement): void {
  target.querySelector("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
}

async function heading(target: HTMLElement, text: string): Promise<void> {
  await vi.waitFor(() => expect(target.querySelector("h2")?.textContent).toContain(text));
  await tick();
}

async function toCheck(target: HTMLElement): Promise<void> {
  type(target, "input[type=email]", "ann@firm.example");
  submit(target);
  await heading(target, "Sign in to your mailbox");
  type(target, "input[type=password]", "secret");
  submit(target);
  await heading(target, "Where mails go");
  submit(target);
}

describe("the first run", () => {
  it("goes from the address to the first mail by Enter alone, the focus on each step's heading", async () => {
    const target = open("silent");
    expect(document.activeElement).toBe(target.querySelector("input[type=email]"));
    await toCheck(target);
    await heading(target, "Everything works");
    expect(document.activeElement).toBe(target.querySelector("h2"));
    expect(target.querySelector("[aria-current=step]")?.textContent).toContain("Check and try");
    submit(target);
    await heading(target, "Now send a mail");
    await vi.waitFor(() => expect(document.activeElement).toBe(target.querySelector("h2")));
    expect(target.querySelectorAll("nav button").length).toBe(0);
  });

  it("says what is wrong with an address at the field, and stays there", async () => {
    const target = open();
    type(target, "input[type=email]", "ann");
    submit(target);
    await vi.waitFor(() => expect(target.querySelector("[role=alert]")?.textContent).toContain("not an e-mail address"));
    expect(document.activeElement).toBe(target.querySelector("input[type=email]"));
  });

  it("leads from a failed step to the field where it is mended, with all that was entered", async () => {
    const target = open("fail.sign_in.credentials_rejected");
    await toCheck(target);
    await heading(target, "One step did not work");
    const actions = target.querySelectorAll<HTMLButtonElement>("li.failed .offer button");
    expect([...actions].map((one) => one.textContent?.trim())).toEqual(["Change the password"]);
    actions[0]?.click();
    await heading(target, "Sign in to your mailbox");
    const password = target.querySelector<HTMLInputElement>("input[type=password]");
    await vi.waitFor(() => expect(document.activeElement).toBe(password));
    expect(password?.value).toBe("secret");
  });
});
