import { t } from "../i18n.svelte";
import type { Problem } from "./form";

/** What is wrong with a field, in words; `null` where nothing is. */
export function problemText(problem: Problem | undefined): string | null {
  if (problem === undefined) return null;
  return problem === "missing" ? t("common.required") : t(`setup.problem.${problem}`);
}
