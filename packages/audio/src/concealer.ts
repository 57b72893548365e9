import { PTIME_MS, samplesPerFrame } from './frame.js';
import { findPeriod, MAX_PERIOD_MS } from './period.js';

/** How much of the past is kept: a match of 20 ms, one longest period before it. */
const HISTORY_MS = 20 + MAX_PERIOD_MS;

/** The first part of a gap keeps its loudness; from there it fades in a straight line. */
const STEADY_MS = 10;

/** Length of the cross-fades at both ends of a gap. */
const FADE_MS = 5;

const DEFAULT_MAX_CONCEALED_FRAMES = 5;

export interface ConcealerOptions {
  readonly sampleRateHz: number;
  /** Frames of 20 ms in a row that are filled in before silence is more honest; 5 by default. */
  readonly maxConcealedFrames?: number;
}

/**
 * Bounded concealment of lost PCM16 (one channel): repeats the last period of what was heard,
 * fading to silence, in the manner of ITU-T G.711 Appendix I but without its delay. Needs no help
 * from the codec. Holds fixed buffers and allocates nothing after construction.
 */
export class Concealer {
  readonly #sampleRateHz: number;
  readonly #history: Int16Array;
  /** One period of the last good sound, made to join its own beginning. */
  readonly #cycle: Float64Array;
  readonly #steady: number;
  readonly #bound: number;
  readonly #fade: number;
  #heard = false;
  #period = 0;
  /** Samples concealed since the last good frame. */
  #concealed = 0;
  /** Step between the last good sample and where the cycle would have come from. */
  #step = 0;

  /** @throws RangeError when the rate has no whole frame or the bound is no whole number ≥ 0 */
  constructor({ sampleRateHz, maxConcealedFrames }: ConcealerOptions) {
    const frames = maxConcealedFrames ?? DEFAULT_MAX_CONCEALED_FRAMES;
    if (!Number.isInteger(frames) || frames < 0) {
      throw new RangeError(
        `Cannot create a concealer: maxConcealedFrames must be a whole number from 0, got ${frames}`,
      );
    }
    this.#sampleRateHz = sampleRateHz;
    this.#bound = frames * samplesPerFrame(sampleRateHz);
    this.#history = new Int16Array(samplesIn(HISTORY_MS, sampleRateHz));
    this.#cycle = new Float64Array(samplesIn(MAX_PERIOD_MS, sampleRateHz));
    this.#steady = Math.min(samplesIn(STEADY_MS, sampleRateHz), this.#bound);
    this.#fade = samplesIn(FADE_MS, sampleRateHz);
  }

  /**
   * A good frame: it is copied for later and, after a loss, its first 5 ms are cross-faded in
   * place with what was made up before it.
   *
   * @param pcm borrowed for the call; any length, normally one frame
   */
  accept(pcm: Int16Array): void {
    if (this.#concealed > 0) this.#join(pcm);
    this.#concealed = 0;
    this.#heard = true;
    this.#remember(pcm);
  }

  /**
   * Fills `out` with what may have been lost.
   *
   * @param out overwritten whole; normally one frame
   * @returns false, with zeros in `out`, when nothing was heard yet or the bound is passed
   */
  conceal(out: Int16Array): boolean {
    if (this.#heard && this.#concealed === 0) this.#startCycle();
    const honest = this.#heard && this.#concealed < this.#bound;
    for (let i = 0; i < out.length; i += 1) {
      out[i] = honest ? clamp(this.#made(this.#concealed + i)) : 0;
    }
    if (!this.#heard) return false;
    // Past the bound the count need not grow: it stands for silence, however long.
    this.#concealed = Math.min(this.#concealed + out.length, this.#bound + this.#fade);
    this.#remember(out);
    return honest;
  }

  /** Forgets what was heard: the next sound has nothing to do with it. */
  reset(): void {
    this.#heard = false;
    this.#concealed = 0;
    this.#history.fill(0);
  }

  /** The sample made up at `index` samples after the last good one. */
  #made(index: number): number {
    if (index >= this.#bound) return 0;
    const gain = index < this.#steady ? 1 : (this.#bound - index) / (this.#bound - this.#steady);
    const step = index < this.#fade ? this.#step * (1 - (index + 1) / (this.#fade + 1)) : 0;
    return this.#cycle[index % this.#period]! * gain + step;
  }

  #join(pcm: Int16Array): void {
    const length = Math.min(this.#fade, pcm.length);
    for (let i = 0; i < length; i += 1) {
      const share = (i + 1) / (length + 1);
      pcm[i] = clamp(pcm[i]! * share + this.#made(this.#concealed + i) * (1 - share));
    }
  }

  #startCycle(): void {
    const history = this.#history;
    const period = findPeriod(history, this.#sampleRateHz);
    const start = history.length - period;
    // The end of the period fades into what came before its beginning, so that repeating it
    // makes no step.
    const fade = period >> 2;
    for (let i = 0; i < period; i += 1) {
      const share = Math.max(0, (i - (period - fade) + 1) / (fade + 1));
      const before = history[start - period + i]!;
      this.#cycle[i] = history[start + i]! * (1 - share) + before * share;
    }
    this.#step = history[history.length - 1]! - history[start - 1]!;
    this.#period = period;
  }

  #remember(pcm: Int16Array): void {
    const history = this.#history;
    const kept = history.length - pcm.length;
    if (kept < 0) {
      history.set(pcm.subarray(-history.length));
      return;
    }
    history.copyWithin(0, pcm.length);
    history.set(pcm, kept);
  }
}

function samplesIn(durationMs: number, sampleRateHz: number): number {
  return (samplesPerFrame(sampleRateHz) * durationMs) / PTIME_MS;
}

function clamp(sample: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(sample)));
}
