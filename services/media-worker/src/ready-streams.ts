/**
 * Which streams of a decode thread have something new: one bit each in shared memory, so that a
 * thread of many idle streams looks at a few words and not at every ring. The I/O thread sets a bit
 * after it wrote to the ring, the decode thread takes all bits before it looks into rings: what is
 * written meanwhile sets the bit again.
 */
export class ReadyStreams {
  readonly #words: Int32Array;

  /** @param shared memory from `ReadyStreams.allocate`. */
  constructor(shared: SharedArrayBuffer) {
    this.#words = new Int32Array(shared);
  }

  /** @param capacity streams are numbered from 0 to below it. */
  static allocate(capacity: number): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * Math.ceil(capacity / 32));
  }

  /** Marks stream `index`. */
  mark(index: number): void {
    Atomics.or(this.#words, index >> 5, 1 << (index & 31));
  }

  /**
   * Takes the marked streams; they are unmarked afterwards.
   *
   * @param into filled from `count` on with those that `isListed` does not have, which is updated
   * @returns the new count
   */
  take(into: Int32Array, count: number, isListed: Uint8Array): number {
    let end = count;
    for (let word = 0; word < this.#words.length; word += 1) {
      // A plain look is enough: a mark that it misses was set after the doorbell was last answered.
      if (this.#words[word] === 0) continue;
      for (let bits = Atomics.exchange(this.#words, word, 0); bits !== 0; bits &= bits - 1) {
        const index = (word << 5) + 31 - Math.clz32(bits & -bits);
        if (isListed[index] === 1) continue;
        isListed[index] = 1;
        into[end] = index;
        end += 1;
      }
    }
    return end;
  }
}
