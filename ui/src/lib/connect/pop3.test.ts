import { describe, expect, it } from "vitest";
import { pop3Sign } from "./pop3";

describe("pop3Sign", () => {
  it.each([
    ["mail.firm.example", "110", "port"],
    ["mail.firm.example", " 995 ", "port"],
    ["imap.firm.example", "995", "port"],
    ["pop.firm.example", "993", "host"],
    ["POP3.firm.example", "993", "host"],
    ["pop3s.firm.example", "993", "host"],
    ["pop-mail.outlook.example", "993", "host"],
    ["pop", "993", "host"],
  ])("sees POP3 in %s, port %s", (host, port, sign) => {
    expect(pop3Sign(host, port)).toBe(sign);
  });

  it.each([
    ["imap.firm.example", "993"],
    ["popular.example", "993"],
    ["poppy.example", "143"],
    ["mail.pop.example", "993"],
    ["", ""],
  ])("leaves %s, port %s alone", (host, port) => {
    expect(pop3Sign(host, port)).toBeNull();
  });
});
