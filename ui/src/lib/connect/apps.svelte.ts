/** Where Threadline is registered for sign-ins with the browser. */
import type { NetworkSettings, OauthAppView, OauthProvider } from "../bindings";
import { api } from "../index";

/** Those with a page of steps; another provider's registration comes from the command line. */
export type Registrar = Exclude<OauthProvider, "other">;

let held = $state.raw<{ apps: readonly OauthAppView[] | null }>({ apps: null });

/** The registration at a provider; `null`: there is none; `undefined`: that is not known yet. */
export function appAt(provider: OauthProvider): OauthAppView | null | undefined {
  return held.apps === null ? undefined : (held.apps.find((one) => one.provider === provider) ?? null);
}

export function takeApps(network: NetworkSettings): NetworkSettings {
  held = { apps: network.apps };
  return network;
}

/** Asks the program. What cannot be asked is said by the sign-in itself. */
export async function loadApps(): Promise<void> {
  try {
    takeApps(await api().network());
  } catch {
    held = { apps: null };
  }
}

/** Where the registration is made. */
export const CONSOLE: Record<Registrar, string> = {
  google: "https://console.cloud.google.com/apis/credentials",
  microsoft: "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade",
};
