/** The proxy as its form holds it: the port is a text while it is typed. */
import type { ProxyDraft } from "../../lib/bindings";

export type ProxyForm = Omit<ProxyDraft, "port"> & { port: string };
export type ProxyProblems = { host?: true; port?: true };

const USUAL = { http: "3128", socks5: "1080" } as const;

export function goesThrough(form: ProxyForm): form is ProxyForm & { way: keyof typeof USUAL } {
  return form.way === "http" || form.way === "socks5";
}

export function proxyForm(proxy: ProxyDraft): ProxyForm {
  return { ...proxy, port: proxy.port === 0 ? "" : String(proxy.port) };
}

/** The form with another way, and the port that goes with it where none was typed. */
export function withWay(form: ProxyForm, way: ProxyForm["way"]): ProxyForm {
  const next = { ...form, way };
  const untouched = next.port === "" || Object.values(USUAL).some((port) => port === next.port);
  return goesThrough(next) && untouched ? { ...next, port: USUAL[next.way] } : next;
}

export function proxyProblems(form: ProxyForm): ProxyProblems {
  if (!goesThrough(form)) return {};
  const port = /^\d{1,5}$/.test(form.port.trim()) ? Number(form.port.trim()) : 0;
  return { ...(form.host.trim() === "" ? { host: true } : {}), ...(port < 1 || port > 65535 ? { port: true } : {}) };
}

/** For a form without problems. */
export function proxyDraft(form: ProxyForm): ProxyDraft {
  if (!goesThrough(form)) return { way: form.way, host: "", port: 0, user: "" };
  return { way: form.way, host: form.host.trim(), port: Number(form.port.trim()), user: form.user.trim() };
}
