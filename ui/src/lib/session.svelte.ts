/** What every screen shows: the program, the state of mailboxes and CRMs, and the count of open questions. */
import { api } from "./index";
import type { App, AppError, News, Status } from "./bindings";
import { isAppError } from "./api";
import { setLocale } from "./i18n.svelte";
import { wearTheme } from "./theme";
import { go } from "./router.svelte";

type Session = { app: App | null; status: Status | null; asked: number; failed: AppError | null };

const state = $state<Session>({ app: null, status: null, asked: 0, failed: null });
const listeners = new Set<(news: News) => void>();

export const session = {
  get app(): App | null {
    return state.app;
  },
  get status(): Status | null {
    return state.status;
  },
  /** Messages that wait for the person's answer. */
  get asked(): number {
    return state.asked;
  },
  /** Why the program could not be asked at all. */
  get failed(): AppError | null {
    return state.failed;
  },
};

/** Hears the program's news until the function that it gives back is called. For `$effect(() => onNews(…))`. */
export function onNews(hear: (news: News) => void): () => void {
  listeners.add(hear);
  return () => listeners.delete(hear);
}

export function setStatus(status: Status): void {
  state.status = status;
}

export async function setApp(app: App): Promise<void> {
  await setLocale(app.locale);
  wearTheme(app.settings.theme);
  state.app = app;
}

async function refresh(what: "app" | "status" | "asked"): Promise<void> {
  try {
    if (what === "app") await setApp(await api().app());
    if (state.app?.engine.state !== "running") {
      state.status = null;
      return;
    }
    if (what !== "asked") state.status = await api().status();
    if (what !== "status") state.asked = (await api().asked()).length;
    state.failed = null;
  } catch (error) {
    state.failed = isAppError(error) ? error : { code: "unexpected", message: String(error), next: null, values: {} };
  }
}

/** Asks the program for everything, after it could not be asked. */
export function askAgain(): Promise<void> {
  return refresh("app");
}

/** Asks the program once, and then follows its news. */
export async function startSession(): Promise<() => void> {
  const stop = await api().onNews((news) => {
    if (news.kind === "navigate") go(news.route);
    else if (news.kind === "app" || news.kind === "status" || news.kind === "asked") void refresh(news.kind);
    for (const hear of listeners) hear(news);
  });
  await refresh("app");
  if (state.app?.first_run && location.hash === "") go({ to: "setup" }, { replace: true });
  return stop;
}
