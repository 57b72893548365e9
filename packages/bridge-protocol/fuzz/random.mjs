// @ts-check

/**
 * Numbers that look random and depend on the seed and the input's index alone, so that one input of
 * ten million is made again without those before it (mulberry32).
 */
export class Random {
  #state = 0;

  /**
   * @param {number} seed
   * @param {number} index
   */
  start(seed, index) {
    this.#state = Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b);
    this.bits();
  }

  /** 32 random bits, as a number from 0. */
  bits() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return (bits ^ (bits >>> 14)) >>> 0;
  }

  /**
   * A whole number from 0 to below `bound`.
   * @param {number} bound
   */
  below(bound) {
    return this.bits() % bound;
  }

  /**
   * True once in `n` times.
   * @param {number} n
   */
  oneIn(n) {
    return this.below(n) === 0;
  }

  /**
   * @template T
   * @param {readonly T[]} items not empty
   * @returns {T}
   */
  pick(items) {
    return /** @type {T} */ (items[this.below(items.length)]);
  }
}
