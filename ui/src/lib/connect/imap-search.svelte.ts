/** Looks for the IMAP server beside a POP3 one, as the settings are typed. */
import type { Pop3Found } from "../bindings";
import { api } from "../index";

/** How long the typing must rest before a server is asked. */
const REST = 400;

export class ImapSearch {
  /** What was found for the server asked about last; `null` while it is looked for, and where that failed. */
  found = $state.raw<Pop3Found | null>(null);
  looking = $state(false);
  error = $state.raw<unknown>(null);

  #timer: ReturnType<typeof setTimeout> | undefined;
  #asked = "";

  /** Asks about another server, soon; about the same one not again. */
  about(host: string, port: string): void {
    const asked = `${host.trim()}:${port.trim()}`;
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.found = null;
    this.error = null;
    this.looking = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(asked, host.trim(), Number(port.trim())), REST);
  }

  /** Nothing is asked any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#asked = "";
    this.looking = false;
  }

  async #look(asked: string, host: string, port: number): Promise<void> {
    try {
      const found = await api().imapBeside(host, port);
      if (this.#asked === asked) this.found = found;
    } catch (error) {
      if (this.#asked === asked) this.error = error;
    } finally {
      if (this.#asked === asked) this.looking = false;
    }
  }
}
