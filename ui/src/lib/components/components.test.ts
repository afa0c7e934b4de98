import { createRawSnippet, flushSync, mount, unmount, type Component } from "svelte";
import { afterEach, describe, expect, it, vi } from "vitest";
import Button from "./Button.svelte";
import CheckList from "./CheckList.svelte";
import Field from "./Field.svelte";
import Switch from "./Switch.svelte";
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
        { step: "dns", state: "running", ms: null, words: null, reason: null },
        { step: "dns", state: "ok", ms: 12, words: "192.0.2.1", reason: null },
        { step: "sign_in", state: "failed", ms: 80, words: "<b>no</b>", reason: "password_changed" },
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
