/** The sound beside a tone has so much less power than the tone: 10 dB. */
const CONTRAST = 0.1;

/** How quiet it was before a tone and after it: what is dialled stands alone, speech seldom does. */
export class ToneContrast {
  /** Power right before the tone; NaN when it is not known. */
  #before = Number.NaN;
  /** Least power since the tone was last heard; NaN when none is known. */
  #after = Number.NaN;

  /** @param powerBefore right before the tone; NaN when it is not known */
  begin(powerBefore: number): void {
    this.#before = powerBefore;
    this.#after = Number.NaN;
  }

  heard(): void {
    this.#after = Number.NaN;
  }

  /** @param power of the sound in which the tone was not heard; NaN when it is not known */
  unheard(power: number): void {
    if (power < this.#after || Number.isNaN(this.#after)) this.#after = power;
  }

  /** Whether a tone of such power is switched on or off as dialled ones are. */
  isSwitched(power: number): boolean {
    return this.#before <= CONTRAST * power || this.#after <= CONTRAST * power;
  }

  /** Whether it is quiet both before a tone of such power and after it. */
  isAlone(power: number): boolean {
    return this.#before <= CONTRAST * power && this.#after <= CONTRAST * power;
  }

  /** Whether what was read back are powers. */
  get isPossible(): boolean {
    return !(this.#before < 0 || this.#after < 0);
  }

  /** Writes its state from `out[at]` on, NaN for what is not there; returns where the next may follow. */
  save(out: Float64Array, at: number): number {
    out[at] = this.#before;
    out[at + 1] = this.#after;
    return at + 2;
  }

  /** Reads back what `save` wrote. */
  restore(from: Float64Array, at: number): number {
    this.#before = from[at]!;
    this.#after = from[at + 1]!;
    return at + 2;
  }
}
