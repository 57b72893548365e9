/** Numbers that look random and are the same in every run (xorshift32). */
export class SeededRandom {
  #state: number;

  /** @param seed any whole number but 0 */
  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** A whole number from 0 to below `bound`. */
  below(bound: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % bound;
  }

  /** From -1 to 1. */
  signed(): number {
    return this.below(65_536) / 32_768 - 1;
  }
}
