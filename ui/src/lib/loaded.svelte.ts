/** What a screen reads from the program: still on its way, there, or refused. */
export class Loaded<T> {
  value = $state.raw<T | null>(null);
  failed = $state.raw<unknown>(null);
  readonly #read: () => Promise<T>;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  /** Reads it again; what was there stays until then. */
  readonly load = async (): Promise<void> => {
    try {
      this.value = await this.#read();
      this.failed = null;
    } catch (error) {
      this.failed = error;
    }
  };
}
