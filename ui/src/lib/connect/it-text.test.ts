import { describe, expect, it } from "vitest";
import { setLocale } from "../i18n.svelte";
import { formOf } from "./form";
import { pop3Text, troubleText } from "./it-text";

const form = formOf({
  address: "ann@firm.example", user: "ann.k", host: "imap.firm.example", port: 993, encryption: "tls", smtp: null, authority: null, fingerprint: null,
});
const trouble = { ...form, step: "sign_in" as const, reason: "imap_disabled_by_admin" as const, since: "2026-03-12T08:02:00Z", words: "[UNAVAILABLE] IMAP access is disabled" };

describe("the text for the IT department", () => {
  it("names mailbox, server, step, time, code and the server's words", () => {
    const text = troubleText(trouble);
    for (const fact of ["ann@firm.example", "imap.firm.example:993 (TLS)", "ann.k", "Sign in", "2026-03-12T08:02:00Z", "imap_disabled_by_admin", "[UNAVAILABLE] IMAP access is disabled", "IMAP is switched off in this organisation."]) {
      expect(text).toContain(fact);
    }
  });

  it("leaves out what is not known", () => {
    const text = troubleText({ ...trouble, step: null, since: null, words: null, reason: null });
    expect(text).not.toMatch(/null|undefined|^- .*: *$/m);
    expect(text).not.toContain("Step that failed");
  });

  it("holds nothing but what it was given by name: no password travels in the form", () => {
    expect(troubleText({ ...trouble, ...{ password: "hunter2" } })).not.toContain("hunter2");
    expect(pop3Text({ ...form, ...{ password: "hunter2" } })).not.toContain("hunter2");
  });

  it("asks for IMAP with its ports, in the person's language", async () => {
    const english = pop3Text({ ...form, host: "pop.firm.example", port: "995" });
    expect(english).toContain("pop.firm.example:995");
    expect(english).toMatch(/993.*143/);
    await setLocale("de");
    const german = pop3Text({ ...form, host: "pop.firm.example", port: "995" });
    expect(german).toContain("Guten Tag,");
    expect(german.split("\n").length).toBe(english.split("\n").length);
  });
});
