import { describe, expect, it } from "vitest";
import en from "../../locales/en.json";
import type { CheckStepName, Reason } from "../bindings";
import { has } from "../i18n.svelte";
import { fieldFor, mendFor } from "./mend";

const STEPS: readonly CheckStepName[] = ["dns", "tcp", "tls", "greeting", "sign_in", "capabilities", "inbox", "sent", "smtp", "crm"];
const REASONS = Object.keys(en).flatMap((key) => /^reason\.(\w+)\.title$/.exec(key)?.[1] ?? []);

describe("mendFor", () => {
  it.each([
    ["dns", "dns_failure", "host"],
    ["tcp", "connection_refused", "port"],
    ["tcp", "connection_timeout", "again"],
    ["tcp", "local_offline", "again"],
    ["tls", "tls_plaintext_port", "port"],
    ["tls", "tls_name_mismatch", "host"],
    ["tls", "tls_expired", "it"],
    ["greeting", "pop3_configured", "pop3"],
    ["sign_in", "password_changed", "password"],
    ["sign_in", "app_password_required", "password"],
    ["sign_in", "imap_disabled_by_admin", "it"],
    ["sign_in", "wrong_account", "user"],
    ["sign_in", "throttled", "again"],
    ["inbox", "mailbox_unreachable", "it"],
    ["smtp", "smtp_auth_disabled", "without_smtp"],
    ["smtp", "dns_failure", "smtp"],
    ["smtp", "server_unavailable", "again"],
    ["crm", "crm_token_rejected", "crm"],
    ["crm", "throttled", "again"],
  ] as const)("%s with %s is mended by %s", (step, reason, mend) => {
    expect(mendFor(step, reason, false)).toBe(mend);
  });

  it("offers to trust a certificate only where it can be shown", () => {
    expect(mendFor("tls", "tls_untrusted", true)).toBe("trust");
    expect(mendFor("tls", "tls_untrusted", false)).toBe("it");
    expect(mendFor("tls", "tls_expired", true)).toBe("it");
    expect(mendFor("smtp", "tls_untrusted", true)).toBe("trust");
    expect(mendFor("smtp", "tls_untrusted", false)).toBe("without_smtp");
  });

  it("has an action in words for each reason at each step", () => {
    expect(REASONS.length).toBeGreaterThan(50);
    for (const step of STEPS) {
      for (const reason of [...REASONS, null, "not_invented_yet"]) {
        const mend = mendFor(step, reason as Reason | null, true);
        expect(mend === "it" || mend === "pop3" || has(`setup.mend.${mend}`), `${step} ${reason}: ${mend}`).toBe(true);
      }
    }
  });

  it("leads to the field where it is done", () => {
    expect(fieldFor(mendFor("sign_in", "password_changed", false))).toBe("password");
    expect(fieldFor(mendFor("dns", "dns_failure", false))).toBe("host");
    expect(fieldFor(mendFor("smtp", "connection_refused", false))).toBe("smtp_host");
    expect(fieldFor(mendFor("sign_in", "imap_disabled_by_admin", false))).toBeNull();
  });
});
