/** Where the person is. The address behind `#` follows, so that Back works and a scene can be opened by a link. */
import type { Route } from "./bindings";

function parts(hash: string): string[] {
  try {
    return hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  } catch {
    // What cannot be decoded names no place.
    return [];
  }
}

export function parseRoute(hash: string): Route {
  const [to = "", ...rest] = parts(hash);
  switch (to) {
    case "threads": {
      const id = Number(rest[0]);
      return { to: "threads", thread: rest[0] !== undefined && rest[0] !== "" && Number.isSafeInteger(id) ? id : null };
    }
    case "compose":
      return { to: "compose", mailbox: rest[0] ? rest[0] : null, to_whom: rest[1] ? rest[1] : null };
    case "outgoing":
    case "people":
    case "activity":
    case "diagnostics":
    case "setup":
    case "it_setup":
      return { to };
    case "proof":
    case "settings":
      return { to, page: rest[0] ? rest[0] : null };
    case "reconnect":
      return rest[0] ? { to, address: rest[0] } : { to: "overview" };
    default:
      return { to: "overview" };
  }
}

export function formatRoute(route: Route): string {
  const tail =
    route.to === "threads" ? route.thread : route.to === "settings" || route.to === "proof" ? route.page : route.to === "reconnect" ? route.address : null;
  if (route.to === "compose" && route.to_whom !== null) return `#/compose/${encodeURIComponent(route.mailbox ?? "")}/${encodeURIComponent(route.to_whom)}`;
  return tail === null ? `#/${route.to}` : `#/${route.to}/${encodeURIComponent(tail)}`;
}

let route = $state.raw<Route>(parseRoute(location.hash));

window.addEventListener("hashchange", () => {
  route = parseRoute(location.hash);
});

export const router = {
  get route(): Route {
    return route;
  },
};

/** Goes there; `replace` leaves no step back. */
export function go(to: Route, options: { replace?: boolean } = {}): void {
  const hash = formatRoute(to);
  if (hash === location.hash) return;
  if (options.replace) history.replaceState(null, "", hash);
  else history.pushState(null, "", hash);
  route = to;
}
