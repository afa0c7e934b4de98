import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import de from "../locales/de.json";
import en from "../locales/en.json";
import { has, setLocale, t, tn } from "./i18n.svelte";
import { ownerOf, reasonTitle, ruleText } from "./reason";

const core = "../src-tauri/crates/core/src";

function params(text: string): string[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").sort();
}

describe("the catalogue", () => {
  it("has the same keys in both languages", () => {
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
  });

  it("has the same parameters in both languages, and no empty text", () => {
    for (const [key, text] of Object.entries(en)) {
      const german = (de as Record<string, string>)[key] ?? "";
      expect(params(german), key).toEqual(params(text));
      expect(german.trim(), key).not.toBe("");
      expect(text.trim(), key).not.toBe("");
    }
  });

  it("has .one wherever it has .other", () => {
    for (const key of Object.keys(en).filter((one) => one.endsWith(".other"))) {
      expect(has(key.replace(/other$/, "one")), key).toBe(true);
    }
  });

  it("has no text that nothing says", () => {
    const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter((one) => /\.(ts|svelte)$/.test(one) && !one.endsWith(".test.ts"));
    const source = files.map((one) => readFileSync(`src/${one}`, "utf8")).join("\n");
    // `state.${…}` says every key that begins so; the program itself says those of tray, notifications and dialogs.
    const beginnings = [...source.matchAll(/`([a-z_.]+\.)\$\{/g)].map((match) => match[1] ?? "").concat("tray.", "notify.", "shell.");
    const idle = Object.keys(en).filter(
      (key) => !source.includes(`"${key.replace(/\.(one|other)$/, "")}"`) && !source.includes(`"${key}"`) && !beginnings.some((one) => key.startsWith(one)),
    );
    expect(idle).toEqual([]);
  });

  it("has the program's reasons, in its words and with its owners", () => {
    const table = readFileSync(`${core}/reason/table.rs`, "utf8");
    const rows = [...table.matchAll(/^ {4}\w+ "(\w+)" (User|Administrator|Nobody) \w+:\s*"([^"]+)",\s*"([^"]+)",\s*"([^"]+)";/gm)];
    expect(rows.length).toBeGreaterThan(60);
    expect(rows.map((row) => row[1]).sort()).toEqual(
      Object.keys(en).filter((key) => /^reason\..*\.title$/.test(key)).map((key) => key.split(".")[1]).sort(),
    );
    for (const [, code = "", owner = "", title, why, next] of rows) {
      expect(t(`reason.${code}.title` as "reason.unknown.title")).toBe(title);
      expect(t(`reason.${code}.why` as "reason.unknown.why")).toBe(why);
      expect(t(`reason.${code}.next` as "reason.unknown.next")).toBe(next);
      expect(ownerOf(code), code).toBe(owner.toLowerCase());
    }
  });

  it("has what each provider wants done, in the program's words", () => {
    const table = JSON.parse(readFileSync(`${core}/../../mail/src/advice.json`, "utf8")) as {
      providers: { provider: string; pages: { topic: string; next: string }[] }[];
    };
    const wanted = table.providers.flatMap((one) => one.pages.map((page) => [`advice.${one.provider}.${page.topic}`, page.next] as const));
    expect(wanted.length).toBeGreaterThan(30);
    expect(Object.fromEntries(Object.entries(en).filter(([key]) => key.startsWith("advice.")))).toEqual(Object.fromEntries(wanted));
  });

  it("has words for every error that the window can be told", () => {
    const rust = "../src-tauri";
    const own = readdirSync(`${rust}/src`, { recursive: true, encoding: "utf8" }).filter((one) => one.endsWith(".rs") && !one.includes("test")).map((one) => `${rust}/src/${one}`);
    const shell = own.flatMap((one) => [...readFileSync(one, "utf8").matchAll(/AppError::new\(\s*"(\w+)"/g)]);
    const below = ["engine/src/error.rs", "engine/src/setup.rs", "engine/src/outgoing/offers.rs", "store/src/error.rs"].flatMap((one) => {
      const text = readFileSync(`${rust}/crates/${one}`, "utf8");
      return [...text.matchAll(/(?:Self|\w+Error|Objection|NotComposed)::\w+[^=]*=> "([a-z_0-9]+)"/g)];
    });
    const codes = new Set([...shell, ...below].map((match) => match[1] ?? ""));
    expect(codes.size).toBeGreaterThan(100);
    for (const code of codes) expect(has(`error.${code}`) || has(`reason.${code}.title`), code).toBe(true);
  });

  it("has the program's rules", () => {
    const source = readFileSync(`${core}/rule.rs`, "utf8");
    const names = [...source.matchAll(/^ {12}Rule::\w+ => "(\w+)",$/gm)].map((match) => match[1] ?? "");
    expect(names.length).toBeGreaterThan(20);
    expect(Object.keys(en).filter((key) => key.startsWith("rule.")).map((key) => key.slice(5)).sort()).toEqual(names.sort());
  });
});

describe("t and tn", () => {
  it("fill parameters, and leave one that is not given as it stands", () => {
    expect(t("overview.next_try", { time: "0:42" })).toBe("Next try in 0:42");
    expect(t("overview.next_try")).toBe("Next try in {time}");
  });

  it("choose the form and write numbers as the language does", async () => {
    expect(tn("nav.asked", 1)).toBe("1 question waits for your answer");
    expect(tn("nav.asked", 1204)).toBe("1,204 questions wait for your answer");
    await setLocale("de");
    expect(tn("nav.asked", 1)).toBe("1 Frage wartet auf Ihre Antwort");
    expect(tn("nav.asked", 1204)).toBe("1.204 Fragen warten auf Ihre Antwort");
    expect(document.documentElement.lang).toBe("de");
  });
});

describe("codes from a newer program", () => {
  it("are shown without breaking", () => {
    expect(reasonTitle("not_invented_yet")).toBe("The cause is not known.");
    expect(ownerOf("not_invented_yet")).toBe("nobody");
    expect(ruleText("not_invented_yet")).toBe("not_invented_yet");
  });

  it("are no key of the catalogue's own prototype", () => {
    expect(has("toString")).toBe(false);
    expect(ruleText("constructor")).toBe("constructor");
  });
});
