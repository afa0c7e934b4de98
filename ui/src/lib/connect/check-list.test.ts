import { flushSync, mount, unmount } from "svelte";
import { afterEach, describe, expect, it } from "vitest";
import type { CheckStep } from "../bindings";
import CheckList from "../components/CheckList.svelte";

let shown: Record<string, unknown> | null = null;
afterEach(async () => {
  if (shown !== null) await unmount(shown);
  shown = null;
});

const step = (name: CheckStep["step"], state: CheckStep["state"]): CheckStep => ({ step: name, state, ms: 10, words: null, found: null, reason: null });
const names = ["dns", "tcp", "tls", "greeting", "sign_in", "inbox"] as const;

function rows(steps: CheckStep[]): HTMLElement {
  const target = document.body.appendChild(document.createElement("div"));
  shown = mount(CheckList, { target, props: { steps, names, from: "sign_in" } });
  flushSync();
  return target;
}

describe("a check that opens at a step", () => {
  it("shows the steps before it as one line, at work until the last is done", () => {
    const list = rows([step("dns", "ok"), step("tcp", "running")]);
    expect(list.querySelectorAll("li").length).toBe(3);
    expect(list.querySelector("li")?.className).toContain("running");
  });

  it("adds up their time once they are done, and unfolds them", () => {
    const list = rows([step("dns", "ok"), step("tcp", "ok"), step("tls", "ok"), step("greeting", "ok")]);
    expect(list.querySelector("li")?.textContent).toContain("40 ms");
    list.querySelector("button")?.click();
    flushSync();
    expect(list.querySelectorAll("li").length).toBe(6);
  });

  it("hides no step that failed or wants to be looked at", () => {
    expect(rows([step("dns", "ok"), step("tcp", "failed")]).querySelectorAll("li").length).toBe(6);
    expect(rows([step("dns", "warning"), step("tcp", "ok")]).querySelectorAll("li").length).toBe(6);
  });
});
