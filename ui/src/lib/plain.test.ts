import { expect, it } from "vitest";
import { linkHost, plain } from "./plain";

it("takes marks away that hide what a name is", () => {
  expect(plain("invoice\u202Efdp.exe")).toBe("invoicefdp.exe");
  expect(plain("a\u0007b\r\n c\u200b")).toBe("ab c");
  expect(plain("שלום")).toBe("שלום");
});

it("cuts long text, and never through a character", () => {
  expect(plain("x".repeat(400))).toBe(`${"x".repeat(300)}…`);
  expect(plain("😀😀😀", 3)).toBe("😀…");
  expect(plain(`${"\u202e".repeat(50)}ok`, 20)).toBe("ok");
  // Nothing but marks, and much of it: what follows is not looked for.
  expect(plain("\u202e".repeat(1e6), 20)).toBe("…");
});

it("shows a link's host as the network knows it", () => {
  expect(linkHost("https://аррӏе.example/login")).toMatch(/^xn--/);
  expect(linkHost("https://bank.example@evil.example/")).toBe("evil.example");
  expect(linkHost("mailto:ben%40oak.example")).toBe("ben@oak.example");
  expect(linkHost("mailto:%E0%A4%A")).toBe("%E0%A4%A");
});

it("knows no host for what may not be opened", () => {
  for (const url of ["javascript:alert(1)", "file:///etc/passwd", "tel:1", "smb://x/y", "no link", ""]) {
    expect(linkHost(url)).toBeNull();
  }
});
