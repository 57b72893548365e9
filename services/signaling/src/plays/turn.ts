/** Work on the event loop's thread is done in slices of this many ms. */
const SLICE_MS = 8;

/** Lets other work have its turn when a long job has had its slice. */
export class Turn {
  #startMs = performance.now();

  /** True when it is time to `yield`. */
  get isOver(): boolean {
    return performance.now() - this.#startMs >= SLICE_MS;
  }

  /** Resolves once everything that waits has had its turn. */
  async yield(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#startMs = performance.now();
  }
}
