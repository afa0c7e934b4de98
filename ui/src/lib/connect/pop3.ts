/** Settings that belong to POP3, told before anything is sent. */
import type { Form } from "./form";

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

/**
 * The IMAP server that usually stands beside it: port 993 with TLS on the same host, `imap` for `pop`. Where that is what
 * was tried already, the host's first label becomes `imap`.
 */
export function imapBeside(form: Pick<Form, "host" | "port">): Pick<Form, "host" | "port" | "encryption"> {
  const tried = form.host.trim();
  const host = tried.replace(HOST, "imap");
  const labels = host.split(".");
  const same = host === tried && form.port.trim() === "993" && labels.length > 2;
  return { host: same ? ["imap", ...labels.slice(1)].join(".") : host, port: "993", encryption: "tls" };
}
