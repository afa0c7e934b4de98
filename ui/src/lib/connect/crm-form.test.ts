import { describe, expect, it } from "vitest";
import { crmDraftOf, crmFormFor, crmProblems, folderIn, isSet } from "./crm-form";

describe("the CRM's form", () => {
  it("begins with the local folder, in the paths of its system", () => {
    expect(folderIn("/home/ann/.local/share/threadline/")).toBe("/home/ann/.local/share/threadline/crm-folder");
    expect(folderIn("C:\\Users\\ann\\AppData")).toBe("C:\\Users\\ann\\AppData\\crm-folder");
    expect(crmDraftOf(crmFormFor(null, "/data"))).toEqual({ draft: { kind: "folder", dir: "/data/crm-folder" }, secret: null });
  });

  it("begins with what is set, and asks for no secret again", () => {
    const set = { kind: "webhook", url: "https://crm.example/in" } as const;
    const form = crmFormFor(set, "/data");
    expect(isSet(form, set)).toBe(true);
    expect(isSet({ ...form, url: "https://crm.example/out" }, set)).toBe(false);
    expect(isSet({ ...form, secret: "whsec_x" }, set)).toBe(false);
    expect(isSet({ ...form, kind: "ledger" }, set)).toBe(false);
    expect(isSet(crmFormFor({ kind: "hubspot" }, "/data"), { kind: "hubspot" })).toBe(true);
  });

  it("wants what its kind needs", () => {
    const form = crmFormFor(null, "/data");
    expect(crmProblems(form)).toEqual({});
    expect(crmProblems({ ...form, dir: " " })).toEqual({ dir: "missing" });
    expect(crmProblems({ ...form, kind: "hubspot" })).toEqual({ token: "missing" });
    expect(crmProblems({ ...form, kind: "webhook" })).toEqual({ url: "missing", secret: "missing" });
    expect(crmProblems({ ...form, kind: "ledger", dir: "" })).toEqual({});
  });

  it("takes https, and http on this computer only", () => {
    const of = (url: string) => crmProblems({ ...crmFormFor(null, "/data"), kind: "webhook", url, secret: `whsec_${"a".repeat(32)}` }).url;
    for (const url of ["https://crm.example/in", "http://localhost:8080/in", "http://127.0.0.1/in", "http://[::1]/in"]) expect(of(url)).toBeUndefined();
    for (const url of ["http://crm.example/in", "crm.example", "javascript:alert(1)", "http://127.0.0.1.crm.example/"]) expect(of(url), url).toBe("url");
  });

  it("refuses a secret that was cut off", () => {
    const of = (secret: string) => crmProblems({ ...crmFormFor(null, "/data"), kind: "webhook", url: "https://crm.example", secret }).secret;
    expect(of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).toBeUndefined();
    expect(of("whsec_short")).toBe("secret");
  });
});
