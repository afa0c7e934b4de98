/** Settings that belong to POP3, told before anything is sent. */

export type Pop3Sign = "port" | "host";

/** 110 is POP3, 995 is POP3 with TLS (IANA). */
const PORTS: readonly string[] = ["110", "995"];
/** A host's first label: pop, pop3, pops, pop3s, or one that begins so before a hyphen (pop-mail). */
const HOST = /^pop3?s?(?=[.-]|$)/i;

/** What shows that this is a POP3 server, or `null`. The port is the surer sign. */
export function pop3Sign(host: string, port: string): Pop3Sign | null {
  if (PORTS.includes(port.trim())) return "port";
  return HOST.test(host.trim()) ? "host" : null;
}
