import { GROUP, ToneSpectrum } from './tone-spectrum.js';

/** −50 dBFS: quieter sound is not looked at. */
export const LEAST_POWER = 1e-5;

/** Least shares of the sound's power that a pair's tones show, the window being full of them. */
const LEAST_LOW_SHARE = 0.05;
const LEAST_HIGH_SHARE = 0.035;
const LEAST_PAIR_SHARE = 0.35;

/**
 * The cheap question that is asked of every sound: could it hold a pair of tones at all? It says
 * no to nearly everything, mostly after the low tones alone, and never to a real pair.
 */
export class PairGate {
  readonly #spectrum: ToneSpectrum = new ToneSpectrum();

  /** @param samples borrowed; the window that begins at `from` is looked at */
  mayHoldPair(samples: Float64Array, from: number): boolean {
    const spectrum = this.#spectrum;
    spectrum.fold(samples, from);
    const total = spectrum.totalPower;
    if (total < LEAST_POWER) return false;
    const low = spectrum.power[this.#strongest(0)]!;
    if (low < LEAST_LOW_SHARE * total) return false;
    const high = spectrum.power[this.#strongest(GROUP)]!;
    return high >= LEAST_HIGH_SHARE * total && low + high >= LEAST_PAIR_SHARE * total;
  }

  #strongest(first: number): number {
    for (let tone = first; tone < first + GROUP; tone += 1) this.#spectrum.measureTone(tone);
    return this.#spectrum.strongest(first);
  }
}
