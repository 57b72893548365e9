import { GROUP, ToneSpectrum } from './tone-spectrum.js';

/** −50 dBFS: quieter sound is not looked at. */
export const LEAST_POWER = 1e-5;

/** Least shares of the sound's power that a pair's tones show, the window being full of them. */
const LEAST_LOW_SHARE = 0.05;
const LEAST_HIGH_SHARE = 0.035;
const LEAST_PAIR_SHARE = 0.35;

/**
 * The cheap question that is asked of every sound: could it hold a pair of tones at all? It says
 * no to nearly everything, mostly after the high tones alone, and never to a real pair. Nothing is
 * kept from one question to the next.
 */
export class PairGate {
  readonly #spectrum: ToneSpectrum = new ToneSpectrum();

  /** @param samples borrowed; the window that begins at `from` is looked at */
  mayHoldPair(samples: Float64Array, from: number): boolean {
    const spectrum = this.#spectrum;
    spectrum.forget();
    spectrum.measureHigh(samples, from);
    const total = spectrum.totalPower;
    if (total < LEAST_POWER) return false;
    // The high tones first: of speech one window in eight passes them, but one in five the low.
    const high = spectrum.power[spectrum.strongest(GROUP)]!;
    if (high < LEAST_HIGH_SHARE * total) return false;
    spectrum.measureLow(samples, from);
    const low = spectrum.power[spectrum.strongest(0)]!;
    return low >= LEAST_LOW_SHARE * total && low + high >= LEAST_PAIR_SHARE * total;
  }
}
