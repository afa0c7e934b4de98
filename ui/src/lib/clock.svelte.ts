/** One clock for all that shows "3 minutes ago" or counts down. It ticks once a second, and only while it is looked at. */
import { createSubscriber } from "svelte/reactivity";

let source: () => number = () => Date.now();

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, 1000);
  return () => clearInterval(timer);
});

export const clock = {
  /** Milliseconds since 1970; what reads it in a template or an effect is told of each tick. */
  get now(): number {
    subscribe();
    return source();
  },
  /** The same without ticking. */
  read(): number {
    return source();
  },
};

/** Another source of time, for the made-up engine and for tests. */
export function setClock(next: () => number): void {
  source = next;
}
