/**
 * Tells which frame slots of a stream are missing, from its 32-bit sequence numbers. Numbers are
 * compared on the circle (as RFC 1982 does), so they may wrap; one that lies up to 2³¹ behind the
 * expected number is late or a duplicate.
 */
export class GapTimeline {
  #expected: number | undefined;
  #received = 0;
  #missing = 0;
  #dropped = 0;

  /** The number that would follow without loss; undefined before the first frame. */
  get expected(): number | undefined {
    return this.#expected;
  }

  /** Frames taken in order. */
  get received(): number {
    return this.#received;
  }

  /** Frame slots that were jumped over. */
  get missing(): number {
    return this.#missing;
  }

  /** Late and duplicate frames. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Takes the next frame's number.
   *
   * @param sequence unsigned 32 bits; higher bits are ignored
   * @returns how many frames are missing before this one, 0 for the first frame of all; −1 when
   * it is late or a duplicate and must be dropped
   */
  accept(sequence: number): number {
    const missing = this.#expected === undefined ? 0 : (sequence - this.#expected) | 0;
    if (missing < 0) {
      this.#dropped += 1;
      return -1;
    }
    this.#expected = (sequence + 1) >>> 0;
    this.#received += 1;
    this.#missing += missing;
    return missing;
  }

  /** Forgets the position and the counts. */
  reset(): void {
    this.#expected = undefined;
    this.#received = 0;
    this.#missing = 0;
    this.#dropped = 0;
  }
}
