/** Log lines and the bundle: as the program gives them, without secrets and private texts. */
import type { BundleFile, LogLine } from "../bindings";
import { pick, random } from "./random";
import { now } from "./time";

const LINES: readonly Omit<LogLine, "id" | "at">[] = [
  { level: "info", target: "mail::watch", text: "INBOX: IDLE, woken by EXISTS" },
  { level: "debug", target: "mail::session", text: "UID FETCH 20419:* → 1 message, 83 bytes" },
  { level: "info", target: "engine::decide", text: "message 4131: log by sent_to_contact" },
  { level: "info", target: "crm::outbox", text: "hubspot: pushed in 184 ms" },
  { level: "debug", target: "store", text: "T1 committed: 1 decision, 1 job" },
  { level: "info", target: "engine::decide", text: "message 4132: ignore by only_colleagues" },
  { level: "warn", target: "crm::outbox", text: "hubspot: 429, next attempt in 9 s" },
  { level: "info", target: "mail::watch", text: "Sent: STATUS unchanged" },
  { level: "error", target: "mail::fetch", text: "INBOX 20418: structure cannot be read, set aside" },
];

export function logLines(after: number | null, newest: number): LogLine[] {
  const from = after === null ? Math.max(1, newest - 400) : after + 1;
  return Array.from({ length: Math.max(0, newest - from + 1) }, (_, n) => {
    const id = from + n;
    const next = random(id);
    return { id, at: new Date(now() - (newest - id) * 7_300).toISOString(), ...pick(next, LINES) };
  });
}

export function bundle(): BundleFile[] {
  return [
    { name: "summary.txt", text: "Threadline 0.1.0 on Linux (Debian 12), 64 bit\nRunning since 2026-03-06T06:24:00Z\nMailboxes: 2 (1 needs attention)\nCRM: hubspot, retrying\nTray: yes. Notifications: yes. Keychain: Secret Service.\n" },
    { name: "health.json", text: JSON.stringify({ mailboxes: [{ address: "a…@n….example", state: "needs_attention", reason: "password_changed" }] }, null, 2) },
    { name: "settings.json", text: JSON.stringify({ theme: "system", language: "system", autostart: true, password: "[taken out]" }, null, 2) },
    { name: "log.txt", text: logLines(null, 600).map((one) => `${one.at} ${one.level.toUpperCase().padEnd(5)} ${one.target}: ${one.text}`).join("\n") },
  ];
}
