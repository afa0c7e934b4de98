import { describe, expect, it } from "vitest";
import type { MailboxDraft } from "../bindings";
import { draftOf, emptyForm, formOf, isAddress, oauthAt, portFor, problems, withCandidate } from "./form";

const draft: MailboxDraft = {
  address: "ann@firm.example", user: "ann", host: "imap.firm.example", port: 993, encryption: "tls", auth: { kind: "password" },
  smtp: { host: "smtp.firm.example", port: 587, encryption: "starttls" }, authority: null, fingerprint: "ab12", smtp_fingerprint: "cd34", sent_folder: "Ausgang",
};

describe("formOf and draftOf", () => {
  it("give back what went in", () => {
    expect(draftOf(formOf(draft))).toEqual(draft);
    const quiet = { ...draft, smtp: null, fingerprint: null, smtp_fingerprint: null, authority: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----" };
    expect(draftOf(formOf(quiet))).toEqual(quiet);
  });

  it("drop the trusted certificate with another host or port", () => {
    expect(draftOf({ ...formOf(draft), host: "mail.firm.example" }).fingerprint).toBeNull();
    expect(draftOf({ ...formOf(draft), port: "143" }).fingerprint).toBeNull();
    expect(draftOf({ ...formOf(draft), user: "other" }).fingerprint).toBe("ab12");
    expect(draftOf({ ...formOf(draft), smtpHost: "out.firm.example" }).smtp_fingerprint).toBeNull();
  });
});

describe("oauthAt", () => {
  it("knows who signs people in with the browser by the server's name", () => {
    const at = ["imap.gmail.com", "Outlook.Office365.com ", "imap-mail.outlook.com", "imap.firm.example", "gmail.com.evil.example", "notgmail.com", ""].map(oauthAt);
    expect(at).toEqual(["google", "microsoft", "microsoft", null, null, null, null]);
  });

  it("is taken where the provider has no passwords, and none is missing then", () => {
    const form = withCandidate(emptyForm("ann@firm.example"), {
      imap: { host: "outlook.office365.com", port: 993, encryption: "tls" }, smtp: null, user: "ann@firm.example", source: "provider_table", provider: "Microsoft 365",
      hint: "oauth_only", help: null, trusted: true, doubts: [],
    });
    expect(draftOf(form).auth).toEqual({ kind: "oauth", provider: "microsoft" });
    expect(problems(form, "")).toEqual({});
    expect(formOf(draftOf(form)).oauth).toBe("microsoft");
  });
});

describe("withCandidate", () => {
  it("takes servers and user name, and no certificate that was trusted for others", () => {
    const form = withCandidate(formOf(draft), {
      imap: { host: "mail.other.example", port: 143, encryption: "starttls" }, smtp: null, user: "ann@firm.example", source: "probe", provider: null,
      hint: null, help: null, trusted: false, doubts: [],
    });
    expect(draftOf(form)).toMatchObject({ host: "mail.other.example", port: 143, encryption: "starttls", smtp: null, user: "ann@firm.example", fingerprint: null });
  });
});

describe("problems", () => {
  const sound = formOf(draft);

  it("are none for a sound form", () => {
    expect(problems(sound, "secret")).toEqual({});
    expect(problems(sound, null)).toEqual({});
  });

  it("name each missing field", () => {
    expect(problems({ ...emptyForm(""), sending: true }, "")).toEqual({ address: "address", user: "missing", password: "missing", host: "missing", smtp_host: "missing" });
  });

  it("want no sending server where nothing is sent", () => {
    expect(problems({ ...sound, sending: false, smtpHost: "", smtpPort: "x" }, null)).toEqual({});
  });

  it("refuse hosts with scheme, port or path, and ports out of range", () => {
    for (const host of ["https://imap.firm.example", "imap.firm.example:993", "imap firm", "ann@firm.example"]) expect(problems({ ...sound, host }, null).host).toBe("host");
    for (const port of ["0", "65536", "", "99x", "-1", "9.5"]) expect(problems({ ...sound, port }, null).port).toBe("port");
    expect(problems({ ...sound, host: "2001:db8::25" }, null)).toEqual({});
  });

  it("tell POP3 from a wrong number", () => {
    expect(problems({ ...sound, port: "995" }, null).port).toBe("pop3");
    expect(problems({ ...sound, host: "pop.firm.example" }, null).host).toBe("pop3");
  });

  it("refuse an authority that is no certificate", () => {
    expect(problems({ ...sound, authority: "sha256:ab12" }, null).authority).toBe("authority");
  });
});

describe("portFor", () => {
  it("follows the encryption, and leaves a port of the person's own", () => {
    expect(portFor("starttls", "993", "imap")).toBe("143");
    expect(portFor("tls", "143", "imap")).toBe("993");
    expect(portFor("starttls", "465", "smtp")).toBe("587");
    expect(portFor("tls", "", "smtp")).toBe("465");
    expect(portFor("tls", "2993", "imap")).toBe("2993");
  });
});

describe("isAddress", () => {
  it("takes one address and nothing beside it", () => {
    expect(isAddress(" ann@firm.example ")).toBe(true);
    expect(isAddress("ann@localhost")).toBe(true);
    for (const text of ["", "ann", "ann@", "@firm.example", "a@b@c", "Ann <ann@firm.example>", "a@b.example, c@d.example"]) expect(isAddress(text)).toBe(false);
  });
});
