/**
 * The interface's ground floor.
 *
 * `api()` is the one door to the program (see `api.ts`). It is opened once: inside Tauri by `real.ts`; in builds of the
 * mode `fake` by `fake/`, whose scenes are chosen by the address (`?scene=broken&theme=dark&lang=de&clock=…`).
 * `session` holds what every screen shows (program, status), `router` where the person is, `t()` gives words from
 * `src/locales/`, `clock.now` the time. Screens lie in `src/screens/<name>/`, what they share in `src/lib/components/`.
 * Colours, spaces and sizes come from `src/styles/tokens.css` and from nowhere else.
 */
import type { Api } from "./api";

let door: Api | null = null;

export function setApi(api: Api): void {
  door = api;
}

/** Throws where no engine can be reached: neither Tauri nor a fake build. */
export async function openApi(): Promise<void> {
  if (__FAKE__ && !("__TAURI_INTERNALS__" in window)) {
    const { fakeApi } = await import("./fake/index");
    setApi(fakeApi(new URLSearchParams(location.search)));
  } else {
    const { realApi } = await import("./real");
    setApi(realApi());
  }
}

export function api(): Api {
  if (door === null) throw new Error("The interface was started before its engine was chosen.");
  return door;
}
