import { afterEach, expect, it } from "vitest";
import type { Api } from "./api";
import type { InCrm } from "./bindings";
import { api, setApi } from "./index";
import { leavePast, offerPast, past, takePast } from "./past.svelte";

afterEach(() => {
  while (past.offer !== null) leavePast();
});

const record = (message: number, removable: boolean): InCrm => ({ message, sink: "hubspot", remote_id: String(message), link: null, removable });

function door(logged: Record<string, InCrm[]>): string[] {
  const calls: string[] = [];
  setApi({
    pastOf: (_: string, who: string) => Promise.resolve({ messages: logged[who]?.length ?? 0, in_crm: logged[who] ?? [] }),
    forgetLogged: (_: string, who: string, inCrm: boolean) => {
      calls.push(`${who} ${inCrm}`);
      return Promise.resolve({ messages: logged[who]?.length ?? 0, in_crm: [], removing: 0, undo: { token: calls.length } });
    },
    undo: (token: number) => {
      calls.push(`undo ${token}`);
      return Promise.resolve();
    },
  } as unknown as Api);
  return calls;
}

it("asks only where something was logged", async () => {
  door({});
  await offerPast("ann@x.example", ["carl@y.example"]);
  expect(past.offer).toBeNull();
});

it("takes out what was logged with all who were named, and all of it back again", async () => {
  const calls = door({ "carl@y.example": [record(1, true), record(2, false)], "@z.example": [record(3, true)] });
  await offerPast("ann@x.example", ["carl@y.example", "nobody@y.example", "@z.example"]);
  expect(past.offer).toEqual({ account: "ann@x.example", whom: ["carl@y.example", "@z.example"], messages: 3, removable: 2, staying: 1 });
  const taken = await takePast(past.offer!, true);
  expect(taken.messages).toBe(3);
  await taken.back();
  expect(calls).toEqual(["carl@y.example true", "@z.example true", "undo 2", "undo 1"]);
});

it("asks about one after the other", async () => {
  door({ "carl@y.example": [record(1, true)], "dora@y.example": [record(2, true)] });
  await Promise.all([offerPast("ann@x.example", ["carl@y.example"]), offerPast("bob@x.example", ["dora@y.example"])]);
  expect(past.offer?.account).toBe("ann@x.example");
  leavePast();
  expect(past.offer?.account).toBe("bob@x.example");
});

it("takes back what was taken out before one failed", async () => {
  const calls = door({ "carl@y.example": [record(1, true)], "dora@y.example": [record(2, true)] });
  await offerPast("ann@x.example", ["carl@y.example", "dora@y.example"]);
  const { forgetLogged, pastOf, undo } = api();
  setApi({
    pastOf,
    undo,
    forgetLogged: (account: string, who: string, inCrm: boolean) =>
      who === "dora@y.example" ? Promise.reject(new Error("no")) : forgetLogged(account, who, inCrm),
  } as unknown as Api);
  const taken = await takePast(past.offer!, false);
  expect(taken.messages).toBe(1);
  expect(taken.failed).toEqual(new Error("no"));
  await taken.back();
  expect(calls).toEqual(["carl@y.example false", "undo 1"]);
});
