import { expect, it } from "vitest";
import { isFiltered, toQuery, type View } from "./view.svelte";

const all: View = { list: "conversations", search: "", account: "", contact: "", direction: "", shown: "all" };

it("asks for everything where nothing is chosen", () => {
  expect(toQuery(all, 200, 100)).toEqual({
    search: null, account: null, contact: null, state: null, direction: null, silent_days: null, offset: 200, limit: 100,
  });
  expect(isFiltered(all)).toBe(false);
});

it("asks for days of silence or for a state, not for both", () => {
  expect(toQuery({ ...all, shown: "silent_7" }, 0, 1)).toMatchObject({ silent_days: 7, state: null });
  expect(toQuery({ ...all, shown: "bounced" }, 0, 1)).toMatchObject({ silent_days: null, state: "bounced" });
});

it("does not take blanks for a search", () => {
  expect(toQuery({ ...all, search: "  " }, 0, 1).search).toBeNull();
  expect(toQuery({ ...all, search: " oak " }, 0, 1).search).toBe("oak");
  expect(isFiltered({ ...all, search: " oak " })).toBe(true);
});

it("asks for somebody once a whole address is there", () => {
  expect([toQuery({ ...all, contact: "marta" }, 0, 1).contact, isFiltered({ ...all, contact: "marta" })]).toEqual([null, false]);
  expect(toQuery({ ...all, contact: " Marta@Oak.example " }, 0, 1).contact).toBe("marta@oak.example");
  expect(isFiltered({ ...all, contact: "marta@oak.example" })).toBe(true);
});
