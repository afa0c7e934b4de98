/** Words in the language in force. A language is loaded when it is asked for; nothing is drawn before the first one is there. */
import keys from "catalogue:keys";
import type en from "../locales/en.json";

export type Locale = "en" | "de";
export type Key = keyof typeof en;
/** The keys that come as `.one` and `.other`, without that ending. */
export type PluralKey = { [K in Key]: K extends `${infer Stem}.other` ? Stem : never }[Key];
export type ReasonCode = { [K in Key]: K extends `reason.${infer Code}.title` ? Code : never }[Key];
export type RuleName = { [K in Key]: K extends `rule.${infer Name}` ? Name : never }[Key];
export type Params = Record<string, string | number>;

type Catalogue = Record<Key, string>;

/** The texts in the order of the keys. */
const loaders: Record<Locale, () => Promise<{ default: string[] }>> = {
  en: () => import("../locales/en"),
  de: () => import("../locales/de"),
};

const catalogues: Partial<Record<Locale, Catalogue>> = {};
let current = $state.raw<{ locale: Locale; texts: Partial<Catalogue> }>({ locale: "en", texts: {} });

export const i18n = {
  get locale(): Locale {
    return current.locale;
  },
};

async function read(locale: Locale): Promise<Catalogue> {
  const texts = (await loaders[locale]()).default;
  return Object.fromEntries(keys.map((key, at) => [key, texts[at]])) as Catalogue;
}

export async function setLocale(locale: Locale): Promise<void> {
  current = { locale, texts: (catalogues[locale] ??= await read(locale)) };
  document.documentElement.lang = locale;
}

function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? new Intl.NumberFormat(current.locale).format(value) : value;
  });
}

/** The text of a key; `{name}` in it is taken from `params`, numbers written as the language writes them. */
export function t(key: Key, params: Params = {}): string {
  return fill(current.texts[key] ?? key, params);
}

/** The text for so many: `.one` or `.other` of a key, with `{n}` filled. */
export function tn(key: PluralKey, n: number, params: Params = {}): string {
  const form = new Intl.PluralRules(current.locale).select(n) === "one" ? "one" : "other";
  return t(`${key}.${form}` as Key, { n, ...params });
}

/** Whether a text exists: for codes that come from the program and may be newer than this catalogue. */
export function has(key: string): key is Key {
  return Object.hasOwn(current.texts, key);
}
