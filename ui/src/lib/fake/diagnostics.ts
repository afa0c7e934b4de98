/** Log lines and the bundle, in the shape in which the program writes them: codes and numbers, and nothing private. */
import type { BundleFile, LogLine } from "../bindings";
import { pick, random } from "./random";
import { now } from "./time";

const LINES: readonly Omit<LogLine, "id" | "at">[] = [
  { level: "info", target: "threadline_engine::journal", text: "a mail was decided about mailbox=1 mail=4131 direction=outgoing verdict=log rule=sent_to_contact" },
  { level: "info", target: "threadline_engine::journal", text: "a mail's text was read mailbox=1 mail=4131 bytes=18220 truncated=false" },
  { level: "debug", target: "threadline_crm::outbox", text: "pushing crm=hubspot rows=1" },
  { level: "debug", target: "threadline_crm::hubspot::api", text: "HubSpot answered, saving the emails crm=hubspot status=200 ms=184" },
  { level: "info", target: "threadline_engine::journal", text: "a mail was pushed crm=hubspot sink=hubspot mail=4131 how=created" },
  { level: "info", target: "threadline_engine::journal", text: "a mail was decided about mailbox=1 mail=4132 direction=incoming verdict=ignore rule=only_colleagues" },
  { level: "debug", target: "threadline_mail::dial", text: "a step to the server is done mailbox=2 step=tls ms=41" },
  { level: "debug", target: "threadline_mail::session", text: "signed in mailbox=2 ms=88 notify=false idle=true condstore=true qresync=true" },
  { level: "warn", target: "threadline_crm::outbox", text: "pushing pauses crm=hubspot seconds=9 reason=throttled" },
  { level: "info", target: "threadline_engine::journal", text: "a channel's state mailbox=2 channel=inbox state=connected" },
  { level: "debug", target: "threadline_engine::contacts", text: "the contacts are up to date crm=hubspot read=0 complete=true" },
  { level: "warn", target: "threadline_engine::journal", text: "a mail that cannot be read was set aside mailbox=1 uid=20418" },
];

export function logLines(after: number | null, newest: number): LogLine[] {
  const from = after === null ? Math.max(1, newest - 400) : after + 1;
  return Array.from({ length: Math.max(0, newest - from + 1) }, (_, n) => {
    const id = from + n;
    const next = random(id);
    return { id, at: new Date(now() - (newest - id) * 7_300).toISOString(), ...pick(next, LINES) };
  });
}

/** As the program names them, in its order; a test of the program compares. */
export function bundle(): BundleFile[] {
  const level = (one: LogLine) => one.level.slice(0, 1).toUpperCase() + one.level.slice(1);
  return [
    { name: "about.txt", text: "Threadline 0.1.0\nsystem: linux x86_64\ndata folder: ~/.local/share/threadline\nengine: {\"state\":\"running\"}\nmissing: []\napp: {\"theme\":\"system\",\"language\":\"system\",\"autostart\":true,\"notifications\":true,\"quiet_from\":null,\"quiet_until\":null,\"tray_said\":true}\n" },
    { name: "settings.txt", text: "<mailbox 1>: imap imap.northwind.example:993 \"tls\", user is the address, smtp smtp.northwind.example:465 \"tls\", mailbox=1 in the log, sign-in by password\n  rules 3: logs \"known_contacts\", own 1, colleagues 1, never addresses 2, domains 1, folders 1\ncrm: {\"kind\":\"hubspot\",\"base_url\":null}\nproxy: system\nlist of providers: none\n" },
    { name: "state.txt", text: "running: Threadline\n<mailbox 1>: needs_attention, logged 2042, asked 3, held 0, ignored 9120, waiting 4, set aside 2\n  inbox needs_attention since 2026-03-12T07:02:00Z phase auth reason password_changed next try none words [AUTHENTICATIONFAILED] Authentication failed.\n  sent needs_attention since 2026-03-12T07:02:00Z phase auth reason password_changed next try none words [AUTHENTICATIONFAILED] Authentication failed.\nhubspot: retrying, waiting 4, set aside 1, done 2038, contacts 611\n" },
    { name: "health.txt", text: "<mailbox 1> inbox from 2026-03-12T07:02:00Z until now phase auth reason password_changed delayed 37 words [AUTHENTICATIONFAILED] Authentication failed.\n2026-03-12 <mailbox 1> connected 25320 of 33840 s\n" },
    { name: "log.txt", text: logLines(null, 600).map((one) => `${one.at} ${level(one)} ${one.target} ${one.text}\n`).join("") },
  ];
}
