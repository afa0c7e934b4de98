/** The rows of a list of any length, fetched a page at a time as they come into view. */

/** Rows a page. */
export const PAGE = 100;
/** Pages that are kept; the one that was not looked at for the longest goes first. */
const MOST_PAGES = 40;

export type Page<Row> = { total: number; rows: Row[] };

export class Pages<Row> {
  #fetch: (offset: number, limit: number) => Promise<Page<Row>>;
  #pages = new Map<number, Row[]>();
  #asked = new Set<number>();
  /** Counts up with each new beginning: an answer to an older question is dropped. */
  #round = 0;
  #version = $state(0);
  total = $state(0);
  /** False until the first page is there. */
  ready = $state(false);
  error = $state<unknown>(null);

  constructor(fetch: (offset: number, limit: number) => Promise<Page<Row>>) {
    this.#fetch = fetch;
  }

  /** The row at a place; `null` while it is on its way. */
  at(index: number): Row | null {
    void this.#version;
    return this.#pages.get(Math.floor(index / PAGE))?.[index % PAGE] ?? null;
  }

  /** Sees to it that these rows come. */
  need(first: number, count: number): void {
    const last = Math.max(first, first + count - 1);
    for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page += 1) {
      const rows = this.#pages.get(page);
      if (rows !== undefined) {
        // Looked at just now: it goes to the end of the order in which pages are dropped.
        this.#pages.delete(page);
        this.#pages.set(page, rows);
      } else if (!this.#asked.has(page)) {
        void this.#load(page);
      }
    }
  }

  /** Begins anew, for another question. */
  restart(): void {
    this.#round += 1;
    this.#pages.clear();
    this.#asked.clear();
    this.ready = false;
    this.error = null;
    void this.#load(0);
  }

  /** Fetches what is shown again; the old rows stay until the new ones are there. */
  async refresh(first: number): Promise<void> {
    this.#round += 1;
    this.#asked.clear();
    const page = Math.max(0, Math.floor(first / PAGE));
    await this.#load(page);
    for (const kept of [...this.#pages.keys()]) {
      if (kept !== page) this.#pages.delete(kept);
    }
    this.#version += 1;
  }

  async #load(page: number): Promise<void> {
    const round = this.#round;
    this.#asked.add(page);
    try {
      const answer = await this.#fetch(page * PAGE, PAGE);
      if (round !== this.#round) return;
      this.#pages.set(page, answer.rows);
      for (const oldest of this.#pages.keys()) {
        if (this.#pages.size <= MOST_PAGES) break;
        this.#pages.delete(oldest);
        this.#asked.delete(oldest);
      }
      this.total = answer.total;
      this.ready = true;
      this.error = null;
      this.#version += 1;
    } catch (error) {
      if (round !== this.#round) return;
      this.#asked.delete(page);
      this.error = error;
    }
  }
}
