/** The mail that is being written. It stays while the person looks elsewhere in the window. */
import type { ChosenFile, KeptTemplate, WrittenMail } from "../../lib/bindings";

export type Draft = {
  mailbox: string;
  /** The name beside the mailbox's address. */
  name: string;
  /** Each `name@firm.example` or `Name <name@firm.example>`. */
  to: string[];
  cc: string[];
  bcc: string[];
  subject: string;
  text: string;
  html: string;
  template: string | null;
  /** What the person gave for variables of the template. */
  values: Record<string, string>;
  files: ChosenFile[];
};

export function blank(mailbox = "", to: string | null = null): Draft {
  return { mailbox, name: "", to: to === null ? [] : [to], cc: [], bcc: [], subject: "", text: "", html: "", template: null, values: {}, files: [] };
}

let draft = $state<Draft>(blank());

export const written = {
  get draft(): Draft {
    return draft;
  },
  set draft(next: Draft) {
    draft = next;
  },
};

/** Nothing would be lost with it. */
export function isBlank(of: Draft): boolean {
  return of.subject.trim() === "" && of.text.trim() === "" && of.html.trim() === "" && of.files.length === 0;
}

export type Lack = "mailbox" | "to" | "text";

/** What it needs before it can go. */
export function lacks(of: Draft): Lack[] {
  return [
    ...(of.mailbox === "" ? (["mailbox"] as const) : []),
    ...(of.to.length + of.cc.length + of.bcc.length === 0 ? (["to"] as const) : []),
    ...(of.text.trim() === "" && of.html.trim() === "" && of.files.length === 0 ? (["text"] as const) : []),
  ];
}

export function toMail(of: Draft, at: Date | null = null): WrittenMail {
  return {
    mailbox: of.mailbox, from_name: of.name.trim() === "" ? null : of.name.trim(), to: [...of.to], cc: [...of.cc], bcc: [...of.bcc], subject: of.subject, text: of.text,
    html: of.html.trim() === "" ? null : of.html, template: of.template, values: Object.entries(of.values).filter(([, value]) => value.trim() !== ""),
    files: of.files.map((file) => file.id), at: at?.toISOString() ?? null,
  };
}

/** The mail begun anew with the template's texts; who it goes to and its files stay. */
export function withTemplate(of: Draft, template: KeptTemplate | null): Draft {
  if (template === null) return { ...of, template: null, values: {} };
  return { ...of, template: template.name, values: {}, subject: template.subject, text: template.text, html: template.html ?? "" };
}

/** Variables to be asked for: what is missing, and what was given already, so that no field goes while it is filled in. */
export function askedFor(of: Draft, gaps: readonly string[]): string[] {
  return [...new Set([...Object.keys(of.values), ...gaps])].sort();
}

/** As mail programs write a person; a name that could be misread stands in quotes. */
export function asWritten(name: string | null | undefined, address: string): string {
  const plain = (name ?? "").replaceAll(/["<>]/g, "").trim();
  if (plain === "") return address;
  return /[,;@()[\]:\\]/.test(plain) ? `"${plain}" <${address}>` : `${plain} <${address}>`;
}

/** The people in a text, divided by comma, semicolon or line, but not inside of quotes. */
export function peopleIn(text: string): string[] {
  const parts = text.match(/(?:"[^"]*"|[^,;\n"])+/g) ?? [];
  return parts.map((part) => part.trim()).filter((part) => part !== "");
}

/** Whether it could be somebody's; the program has the last word. */
export function isPerson(text: string): boolean {
  const address = /<([^<>]*)>\s*$/.exec(text)?.[1] ?? text;
  return /^[^\s@<>]+@[^\s@<>]+$/.test(address.trim());
}
