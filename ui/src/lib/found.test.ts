import { afterAll, expect, it } from "vitest";
import { foundWords } from "./found";
import { setLocale } from "./i18n.svelte";

afterAll(() => setLocale("en"));

it("says what was found in the person's language, and names as they are", async () => {
  const folders = { what: "sent_folders" as const, folders: [{ name: "Gesendet", how: "special_use" as const }, { name: "Sent\u202e2026", how: "name_contains" as const }] };
  await setLocale("en");
  expect(foundWords({ what: "messages", messages: 1 })).toBe("1 message");
  expect(foundWords(folders)).toBe("Gesendet (the server says so), Sent2026 (its name contains “sent”)");
  await setLocale("de");
  expect(foundWords({ what: "messages", messages: 18204 })).toBe("18.204 Nachrichten");
  expect(foundWords(folders)).toBe("Gesendet (laut Server), Sent2026 (der Name enthält „sent“)");
  expect(foundWords({ what: "crms", crms: [{ kind: "folder", name: "/home/ann/crm" }] })).toBe("Lokaler Ordner: /home/ann/crm");
  expect(foundWords({ what: "unusable", code: "no_password", message: "x", values: { mailbox: "ann@x.example" } })).toBe("Das Passwort von ann@x.example ist nicht im Schlüsselbund.");
  expect(foundWords({ what: "unusable", code: "not_known_here", message: "It is broken.", values: {} })).toBe("It is broken.");
});
