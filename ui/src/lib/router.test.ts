import { describe, expect, it } from "vitest";
import type { Route } from "./bindings";
import { formatRoute, parseRoute } from "./router.svelte";

describe("a route", () => {
  const routes: Route[] = [
    { to: "overview" }, { to: "threads", thread: null }, { to: "threads", thread: 12 }, { to: "activity" },
    { to: "proof", page: null }, { to: "proof", page: "trash" },
    { to: "compose", mailbox: null, to_whom: null }, { to: "compose", mailbox: null, to_whom: "carl@y.example" },
    { to: "compose", mailbox: "ann@x.example", to_whom: "Carl / Meier <carl@y.example>" }, { to: "outgoing" }, { to: "people" },
    { to: "settings", page: null }, { to: "settings", page: "rules" }, { to: "diagnostics" }, { to: "setup" }, { to: "it_setup" },
    { to: "reconnect", address: "ann/kell er+crm@northwind-lab.example" },
  ];

  it.each(routes)("comes back from its address: $to", (route) => {
    expect(parseRoute(formatRoute(route))).toEqual(route);
  });

  it("falls back where the address says nothing", () => {
    expect(parseRoute("")).toEqual({ to: "overview" });
    expect(parseRoute("#/nowhere/at/all")).toEqual({ to: "overview" });
    expect(parseRoute("#/reconnect")).toEqual({ to: "overview" });
    expect(parseRoute("#/threads/abc")).toEqual({ to: "threads", thread: null });
    expect(parseRoute("#/settings/%E0%A4%A")).toEqual({ to: "overview" });
  });
});
