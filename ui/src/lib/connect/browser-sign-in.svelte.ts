/** A sign-in with the browser: begun here, done there. */
import type { OauthProvider } from "../bindings";
import { api } from "../index";

export class BrowserSignIn {
  state = $state<"idle" | "waiting" | "done">("idle");
  /** The address of the provider's page, once it is known. */
  page = $state.raw<string | null>(null);
  error = $state.raw<unknown>(null);
  #turn = 0;

  /** Gives whether the person has signed in. */
  async begin(address: string, provider: OauthProvider): Promise<boolean> {
    this.forget();
    const turn = this.#turn;
    this.state = "waiting";
    try {
      await api().signIn(address, provider, (page) => {
        if (turn === this.#turn) this.page = page;
      });
      if (turn !== this.#turn) return false;
      this.state = "done";
      return true;
    } catch (error) {
      if (turn !== this.#turn) return false;
      this.error = error;
      this.state = "idle";
      return false;
    }
  }

  /** Takes it back; what still comes of it is not heard any more. */
  cancel(): void {
    const waiting = this.state === "waiting";
    this.forget();
    // It ends by itself in time, too.
    if (waiting) api().cancelSignIn().catch(() => {});
  }

  forget(): void {
    this.#turn += 1;
    this.state = "idle";
    this.page = null;
    this.error = null;
  }
}
