/** Opens a file of the IT department; what is in it is shown on a screen of its own. */
import { t } from "../i18n.svelte";
import { api } from "../index";
import { go } from "../router.svelte";
import { toastError } from "../toasts.svelte";

export async function openSetup(): Promise<void> {
  try {
    if (await api().openSetupFile()) go({ to: "it_setup" });
  } catch (error) {
    toastError(t("it_setup.not_read"), error);
  }
}
