import type { PauseFor } from "../../lib/bindings";
import { api } from "../../lib/index";
import { t } from "../../lib/i18n.svelte";
import { setStatus } from "../../lib/session.svelte";
import { toast, toastError } from "../../lib/toasts.svelte";

/** Pauses one mailbox or all (`null`), or takes the pause back (`span` is `null`). */
export async function pause(address: string | null, span: PauseFor | null): Promise<void> {
  try {
    setStatus(await api().pause(address, span));
    toast(t(span === null ? "overview.resume.done" : "overview.pause.done"));
  } catch (error) {
    toastError(t("overview.pause.failed"), error);
  }
}
