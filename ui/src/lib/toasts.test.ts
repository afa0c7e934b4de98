import { beforeEach, describe, expect, it } from "vitest";
import type { Api } from "./api";
import { setApi } from "./index";
import { age, dismiss, newestToTakeBack, STAYS, takeBack, toast, toasts, toastUntil } from "./toasts.svelte";

beforeEach(() => {
  for (const one of [...toasts.list]) dismiss(one.id);
});

describe("a note", () => {
  it("goes when its time is over, and stays while it is held", () => {
    toast("Not logged any more.");
    age(STAYS - 1, false);
    age(STAYS, true);
    expect(toasts.list).toHaveLength(1);
    age(1, false);
    expect(toasts.list).toHaveLength(0);
  });

  it("is taken back with the program's token, once", async () => {
    const tokens: number[] = [];
    setApi({ undo: (token: number) => Promise.resolve(void tokens.push(token)) } as unknown as Api);
    toast("Not logged any more.", { token: 7, until: "2026-03-12T09:24:15Z" });
    const one = toasts.list[0];
    if (one === undefined) throw new Error("no note");
    await takeBack(one);
    expect(tokens).toEqual([7]);
    expect(toasts.list.map((left) => left.text)).toEqual(["Taken back."]);
  });

  it("of what happens at its end runs on while it is looked at, and is the first that the keyboard takes back", () => {
    const back = () => Promise.resolve();
    toastUntil("The mail goes in a moment.", back, 10_000);
    toast("Saved.");
    expect(newestToTakeBack()?.text).toBe("The mail goes in a moment.");
    age(10_000, true);
    expect(toasts.list.map((one) => one.text)).toEqual(["Saved."]);
    expect(newestToTakeBack()).toBeUndefined();
  });

  it("says why it could not be taken back", async () => {
    setApi({ undo: () => Promise.reject({ code: "undo_expired", message: "The time is over.", next: null, values: {} }) } as unknown as Api);
    toast("Not logged any more.", { token: 7, until: "2026-03-12T09:24:15Z" });
    const one = toasts.list[0];
    if (one === undefined) throw new Error("no note");
    await takeBack(one);
    expect(toasts.list[0]?.error?.cause).toBe("The time is over.");
  });
});
