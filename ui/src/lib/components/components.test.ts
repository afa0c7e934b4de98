import { createRawSnippet, flushSync, mount, unmount, type Component } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";
import Button from "./Button.svelte";
import { toasts } from "../toasts.svelte";
import CheckList from "./CheckList.svelte";
import Dialog from "./Dialog.svelte";
import Field from "./Field.svelte";
import Menu from "./Menu.svelte";
import Switch from "./Switch.svelte";
import Tabs from "./Tabs.svelte";
import VirtualList from "./VirtualList.svelte";

type Any = Component<Record<string, unknown>>;

const mounted: Record<string, unknown>[] = [];

function show(what: unknown, props: Record<string, unknown>): HTMLElement {
  const target = document.body.appendChild(document.createElement("div"));
  mounted.push(mount(what as Any, { target, props }));
  flushSync();
  return target;
}

afterEach(async () => {
  for (const one of mounted.splice(0)) await unmount(one);
});

const settled = () => new Promise((done) => setTimeout(done));
const words = (text: string) => createRawSnippet(() => ({ render: () => `<span>${text}</span>` }));

describe("Button", () => {
  it("cannot be pressed while it is busy, and keeps its place in the order of the keyboard", () => {
    const pressed = vi.fn();
    const button = show(Button, { busy: true, onclick: pressed, children: words("Save") }).querySelector("button");
    button?.click();
    expect(pressed).not.toHaveBeenCalled();
    expect(button?.disabled).toBe(false);
    expect(button?.getAttribute("aria-busy")).toBe("true");
  });
});

describe("Field", () => {
  it("ties hint and error to the input", () => {
    const target = show(Field, { label: "Host", value: "", hint: "imap.…", error: "Fill this in." });
    const input = target.querySelector("input");
    const ids = input?.getAttribute("aria-describedby")?.split(" ") ?? [];
    expect(ids.map((id) => document.getElementById(id)?.textContent?.trim())).toEqual(["imap.…", "Fill this in."]);
    expect(input?.getAttribute("aria-invalid")).toBe("true");
    expect(target.querySelector("label")?.getAttribute("for")).toBe(input?.id);
  });
});

describe("Switch", () => {
  it("tells of each flip", () => {
    const flipped = vi.fn();
    const target = show(Switch, { label: "Notifications", checked: false, onchange: flipped });
    target.querySelector("button")?.click();
    flushSync();
    expect(flipped).toHaveBeenCalledWith(true);
    expect(target.querySelector("[role=switch]")?.getAttribute("aria-checked")).toBe("true");
  });
});

describe("CheckList", () => {
  it("shows a step's newest state, the server's words as text, and what was not reached", () => {
    const target = show(CheckList, {
      steps: [
        { step: "dns", state: "running", ms: null, words: null, found: null, reason: null },
        { step: "dns", state: "ok", ms: 12, words: "192.0.2.1", found: null, reason: null },
        { step: "sign_in", state: "failed", ms: 80, words: "<b>no</b>", found: null, reason: "password_changed" },
      ],
    });
    const rows = [...target.querySelectorAll("li")];
    expect(rows).toHaveLength(10);
    expect(rows[0]?.className).toContain("ok");
    expect(rows[0]?.textContent).toContain("12 ms");
    expect(rows[4]?.textContent).toContain("<b>no</b>");
    expect(rows[4]?.textContent).toContain("Enter the new password.");
    expect(rows[9]?.textContent).toContain("Waiting");
  });
});

describe("Menu", () => {
  const press = (on: Element | null, key: string) => on?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

  it("is opened by the keyboard, walked by arrows, and gives the focus back", async () => {
    const chosen = vi.fn();
    const items = [{ label: "Pause", onselect: () => {} }, { label: "Off", disabled: true, onselect: chosen }, { label: "Remove", onselect: chosen }];
    const target = show(Menu, { label: "Actions", items });
    const button = target.querySelector("button");
    press(button, "ArrowDown");
    await settled();
    expect(document.activeElement?.textContent?.trim()).toBe("Pause");
    expect(button?.getAttribute("aria-expanded")).toBe("true");
    press(document.activeElement, "ArrowDown");
    expect(document.activeElement?.textContent?.trim()).toBe("Remove");
    press(document.activeElement, "Escape");
    flushSync();
    expect([target.querySelector("[role=menu]"), document.activeElement]).toEqual([null, button]);
    press(button, "ArrowUp");
    await settled();
    (document.activeElement as HTMLElement).click();
    flushSync();
    expect(chosen).toHaveBeenCalledTimes(1);
    expect([target.querySelector("[role=menu]"), document.activeElement]).toEqual([null, button]);
  });

  it("closes when something else is pressed", async () => {
    const target = show(Menu, { label: "Actions", items: [{ label: "Pause", onselect: () => {} }] });
    target.querySelector("button")?.click();
    await settled();
    expect(target.querySelector("[role=menu]")).not.toBeNull();
    document.body.dispatchEvent(new Event("pointerdown", { bubbles: true }));
    flushSync();
    expect(target.querySelector("[role=menu]")).toBeNull();
  });
});

describe("Dialog", () => {
  it("is modal, has the notes in it, and tells once when it is closed", async () => {
    const closed = vi.fn();
    const target = show(Dialog, { open: true, title: "Delete everything?", children: words("For good."), onclose: closed });
    await settled();
    const box = target.querySelector("dialog");
    expect([box?.open, box?.getAttribute("aria-labelledby")]).toEqual([true, target.querySelector("h2")?.id]);
    expect(toasts.layer).toBe(box);
    target.querySelector<HTMLElement>("header button")?.click();
    await settled();
    expect([box?.open, closed.mock.calls.length, toasts.layer, target.querySelector("h2")]).toEqual([false, 1, null, null]);
  });
});

describe("Tabs", () => {
  it("are one stop for the keyboard, and arrows choose", () => {
    const chosen = vi.fn();
    const children = createRawSnippet(() => ({ render: () => "<p>panel</p>" }));
    const tabs = [{ value: "a", label: "A" }, { value: "b", label: "B", count: 3 }];
    const target = show(Tabs, { label: "Lists", value: "a", tabs, children, onchange: chosen });
    expect(target.querySelectorAll('[role=tab][tabindex="0"]')).toHaveLength(1);
    target.querySelector("[role=tablist]")?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
    flushSync();
    expect(chosen).toHaveBeenCalledWith("b");
    expect(target.querySelector('[aria-selected="true"]')?.textContent).toContain("B");
    expect(target.querySelector("[role=tabpanel]")?.getAttribute("aria-labelledby")).toBe(target.querySelector('[aria-selected="true"]')?.id);
  });
});

describe("VirtualList", () => {
  function list(props: Record<string, unknown>): HTMLElement {
    const row = createRawSnippet(() => ({ render: () => `<span>row</span>` }));
    return show(VirtualList, { label: "Threads", total: 100_000, rowHeight: 52, row, ...props });
  }

  it("keeps few rows in the document, and is one stop for the keyboard", () => {
    const target = list({});
    expect(target.querySelectorAll("[role=option]").length).toBeLessThan(60);
    expect(target.querySelectorAll('[tabindex="0"]')).toHaveLength(1);
    expect(target.querySelector("[role=option]")?.getAttribute("aria-setsize")).toBe("100000");
  });

  it("moves by arrows and opens by Enter", () => {
    const opened = vi.fn();
    const box = list({ onopen: opened }).querySelector<HTMLElement>("[role=listbox]");
    const press = (key: string) => {
      box?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      flushSync();
    };
    press("ArrowDown");
    press("ArrowDown");
    press("Enter");
    expect(opened).toHaveBeenLastCalledWith(1);
    press("End");
    press("Enter");
    expect(opened).toHaveBeenLastCalledWith(99_999);
    press("ArrowDown");
    press("Enter");
    expect(opened).toHaveBeenLastCalledWith(99_999);
  });
});
