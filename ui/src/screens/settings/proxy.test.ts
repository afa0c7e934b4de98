import { describe, expect, it } from "vitest";
import { proxyDraft, proxyForm, proxyProblems, withWay } from "./proxy";

const SYSTEM = proxyForm({ way: "system", host: "", port: 0, user: "" });

describe("the proxy's form", () => {
  it("has the usual port until another was typed", () => {
    const http = withWay(SYSTEM, "http");
    expect(http.port).toBe("3128");
    expect(withWay(http, "socks5").port).toBe("1080");
    expect(withWay({ ...http, port: "8080" }, "socks5").port).toBe("8080");
    expect(withWay(SYSTEM, "none").port).toBe("");
  });

  it("asks for host and port only where it leads through a proxy", () => {
    expect(proxyProblems(SYSTEM)).toEqual({});
    expect(proxyProblems({ ...SYSTEM, way: "http" })).toEqual({ host: true, port: true });
    expect(proxyProblems({ way: "http", host: "proxy", port: "65536", user: "" })).toEqual({ port: true });
    expect(proxyProblems({ way: "socks5", host: "proxy", port: "1080", user: "ann" })).toEqual({});
  });

  it("keeps nothing of a proxy that is not used", () => {
    const form = { way: "http" as const, host: " proxy ", port: "3128", user: "ann" };
    expect(proxyDraft(form)).toEqual({ way: "http", host: "proxy", port: 3128, user: "ann" });
    expect(proxyDraft({ ...form, way: "none" })).toEqual({ way: "none", host: "", port: 0, user: "" });
  });
});
