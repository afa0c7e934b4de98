/** The program's own settings: each change is stored at once, and taken back on the screen where it was refused. */
import type { AppSettings } from "../../lib/bindings";
import { api } from "../../lib/index";
import { t } from "../../lib/i18n.svelte";
import { session, setApp } from "../../lib/session.svelte";
import { toastError } from "../../lib/toasts.svelte";

export async function change(part: Partial<AppSettings>): Promise<void> {
  const before = session.app;
  if (before === null) return;
  try {
    await setApp(await api().setAppSettings({ ...before.settings, ...part }));
  } catch (error) {
    toastError(t("settings.not_saved"), error);
    await setApp({ ...before });
  }
}
