type Closer = () => void | Promise<void>;

/**
 * What an owner must close, in reverse order of opening. `close` runs every closer even when
 * one fails, is idempotent, and returns one shared promise.
 */
export class CloseStack {
  readonly #closers: Closer[] = [];
  #closing: Promise<void> | undefined;

  /** Adds a closer, to be run before those added earlier. */
  defer(closer: Closer): void {
    this.#closers.push(closer);
  }

  /** @throws AggregateError when closers failed, after all of them ran. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const failures: unknown[] = [];
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Closing failed');
  }
}
