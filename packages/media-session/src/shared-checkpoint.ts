import { CHECKPOINT_NUMBERS } from './stream-checkpoint.js';

/** Copies that a reader makes at most: its writer would have to write twice during each. */
const MOST_TRIES = 8;

/** Bytes of shared memory, at whole words of 8. */
export const SHARED_CHECKPOINT_BYTES: number = 8 + 2 * CHECKPOINT_NUMBERS * 8;

/**
 * The newest checkpoint of a stream on its way from the decode thread to any other: two slots in turn,
 * and a count of how often one was written. A reader copies the slot written last and has it whole
 * when the count stood still; a writer that dies at work leaves the other slot as it was.
 */
export class SharedCheckpoint {
  /** How often it was written; 0: never. */
  readonly #count: Int32Array;
  readonly #slots: readonly Float64Array[];

  /** @param shared of which `SHARED_CHECKPOINT_BYTES` from `offset` on are zeros, or one was written. */
  constructor(shared: SharedArrayBuffer, offset: number) {
    this.#count = new Int32Array(shared, offset, 1);
    this.#slots = [0, 1].map(
      (n) => new Float64Array(shared, offset + 8 + n * CHECKPOINT_NUMBERS * 8, CHECKPOINT_NUMBERS),
    );
  }

  /** One writer at a time. */
  write(numbers: Float64Array): void {
    const next = (Atomics.load(this.#count, 0) + 1) | 0;
    const slot = this.#slots[next & 1]!;
    slot.set(numbers);
    // Swapped, not stored: nothing written for the next time may come before it.
    Atomics.exchange(this.#count, 0, next);
  }

  /** Copies the newest into `out`; false when there is none, or `out` is worth nothing. */
  read(out: Float64Array): boolean {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const count = Atomics.load(this.#count, 0);
      if (count === 0) return false;
      out.set(this.#slots[count & 1]!);
      if (Atomics.compareExchange(this.#count, 0, count, count) === count) return true;
    }
    return false;
  }
}
