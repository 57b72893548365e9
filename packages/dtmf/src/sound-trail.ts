import type { Known } from './known.js';
import { ALL_KNOWN, knownOf } from './known.js';
import { GROUP, HOP_SAMPLES, ToneSpectrum, WINDOW_SAMPLES } from './tone-spectrum.js';

/** Hops looked back on from a present one. */
export const LOOK_BACK = 2;

/** Hops that there is room for at a time: a frame of 20 ms moves what is kept only once. */
export const MOST_HOPS = 4;

/** What is kept: the window one hop ago, as far back as its look back reaches, and the last hop. */
const KEPT_SAMPLES = WINDOW_SAMPLES + (LOOK_BACK + 1) * HOP_SAMPLES;
const ROOM_SAMPLES = KEPT_SAMPLES + (MOST_HOPS - 1) * HOP_SAMPLES;

/** Hops of which it is remembered whether they are missing: more than the windows reach back. */
const REMEMBERED = 0xffff;

/**
 * The last sound at 8 kHz, hop by hop, and the spectra of it from a present one backwards. Each
 * spectrum is measured as far as it is asked for, when it is: of most sound that is not at all.
 */
export class SoundTrail {
  /** The sound; what `append` is told to write is written here. */
  readonly samples: Float64Array = new Float64Array(ROOM_SAMPLES);
  /** End of the newest hop. */
  #end = ROOM_SAMPLES;
  /** Where the present window begins. */
  #present = 0;
  /** Of each of the last hops whether it is missing, the newest in the lowest bit. */
  #missing = 0;
  /** Hops that came after the present window. */
  #ahead = 0;
  /** Spectra from the present one backwards. */
  readonly #spectra: ToneSpectrum[] = Array.from(
    { length: LOOK_BACK + 1 },
    () => new ToneSpectrum(),
  );

  /** Makes room for so many hops to come, up to `MOST_HOPS`. */
  makeRoom(hops: number): void {
    const end = ROOM_SAMPLES - hops * HOP_SAMPLES;
    const shift = this.#end - end;
    if (shift > 0) this.samples.copyWithin(0, shift, this.#end);
    this.#end -= shift;
    this.#present -= shift;
  }

  /** Where in `samples` the next hop is to be written; from there on it is the newest. */
  append(): number {
    const from = this.#end;
    this.#end = from + HOP_SAMPLES;
    this.#missing = (this.#missing << 1) & REMEMBERED;
    this.#ahead += 1;
    return from;
  }

  /** A hop that is missing. */
  appendMissing(): void {
    this.makeRoom(1);
    const from = this.append();
    this.samples.fill(0, from, from + HOP_SAMPLES);
    this.#missing |= 1;
  }

  /** Where the window begins that ended so many hops ago, up to `LOOK_BACK + 1`. */
  windowStart(hopsAgo: number): number {
    return this.#end - WINDOW_SAMPLES - hopsAgo * HOP_SAMPLES;
  }

  /** Makes another window the present one; it need not follow the one before. */
  jumpTo(hopsAgo: number): void {
    for (const spectrum of this.#spectra) spectrum.forget();
    this.#present = this.windowStart(hopsAgo);
    this.#ahead = hopsAgo;
  }

  /** Makes the window after the present one the present one. */
  advance(): void {
    const spectra = this.#spectra;
    const oldest = spectra[LOOK_BACK]!;
    for (let n = LOOK_BACK; n > 0; n -= 1) spectra[n] = spectra[n - 1]!;
    spectra[0] = oldest;
    oldest.forget();
    this.#present += HOP_SAMPLES;
    this.#ahead -= 1;
  }

  /** What of the window so many hops before the present one is known. */
  known(hopsBefore: number): Known {
    return this.#missing === 0 ? ALL_KNOWN : knownOf(this.#missing >> (this.#ahead + hopsBefore));
  }

  /** The spectrum so many hops before the present one; of its tones the low ones are measured. */
  low(hopsBefore: number): ToneSpectrum {
    const spectrum = this.#spectra[hopsBefore]!;
    spectrum.measureLow(this.samples, this.#present - hopsBefore * HOP_SAMPLES);
    return spectrum;
  }

  /** The same with the high tones measured. */
  high(hopsBefore: number): ToneSpectrum {
    const spectrum = this.#spectra[hopsBefore]!;
    spectrum.measureHigh(this.samples, this.#present - hopsBefore * HOP_SAMPLES);
    return spectrum;
  }

  /** Mean power of the sound so many hops before the present spectrum; NaN when too little is known. */
  totalPower(hopsBefore: number): number {
    return this.low(hopsBefore).totalPower * this.known(hopsBefore).powerGain;
  }

  /** Magnitude of a pair so many hops before the present spectrum, as far as that is known. */
  magnitude(hopsBefore: number, row: number, column: number): number {
    const low = this.low(hopsBefore).power[row]!;
    const high = this.high(hopsBefore).power[GROUP + column]!;
    return (Math.sqrt(low) + Math.sqrt(high)) * this.known(hopsBefore).magnitudeGain;
  }

  /** Forgets the sound. */
  reset(): void {
    this.samples.fill(0);
    this.#missing = 0;
  }
}
