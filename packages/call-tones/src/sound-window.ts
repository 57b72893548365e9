import { HalfBandDecimator } from '@earshot/dtmf';

/** A frame of 20 ms at 8 kHz, as which sound is kept. */
export const FRAME_SAMPLES = 160;
export const FRAME_MS = 20;

/** Frames that a spectrum is taken of: 120 ms tell 440 from 480 Hz. */
export const WINDOW_FRAMES = 6;
export const WINDOW_MS: number = WINDOW_FRAMES * FRAME_MS;

/** Edges are found to so much. */
export const BLOCK_MS = 5;
const BLOCKS_PER_FRAME = 4;
const BLOCK_SAMPLES = 40;

/** Powers of blocks that are kept, back from the newest: a power of two. */
export const BLOCKS = 64;

/** −50 dBFS: quieter sound is not looked at. */
const LEAST_POWER = 1e-5;

/** −60 dBFS: a codec may make a tone so quiet after a gap. */
const LEAST_SETTLING_POWER = 1e-6;

/** Steady sound: no frame of the window has 4 dB more than another; two tones beat by less. */
const STEADY_RATIO = 2.5;

/** So long after a gap a codec may be quieter or louder than what was sent: −20 dB at first. */
const SETTLING_FRAMES = 10;

/** Frames since a gap, from which on none of the window is near it. */
const SETTLED: number = SETTLING_FRAMES + WINDOW_FRAMES;

/** Frames that a window with holes must have. */
const LEAST_KNOWN = 4;

/** The latest 120 ms of sound at 8 kHz, and how loud it was for a while longer. */
export class SoundWindow {
  /** Frames in turn; the oldest begins at `oldest`. */
  readonly samples: Float64Array = new Float64Array(WINDOW_FRAMES * FRAME_SAMPLES);
  readonly #decimator: HalfBandDecimator = new HalfBandDecimator(FRAME_SAMPLES);
  readonly #framePowers: Float64Array = new Float64Array(WINDOW_FRAMES);
  readonly #blockPowers: Float64Array = new Float64Array(BLOCKS);
  /** Frames that had come since a gap when each came. */
  readonly #ages: Uint8Array = new Uint8Array(WINDOW_FRAMES).fill(SETTLED);
  #age = SETTLED;
  #frame = 0;
  #block = 0;

  /** Where the oldest sample of the window is. */
  get oldest(): number {
    return this.#frame * FRAME_SAMPLES;
  }

  /** Mean square of the newest frame; NaN when it is not known. */
  get framePower(): number {
    return this.#framePowers[(this.#frame + WINDOW_FRAMES - 1) % WINDOW_FRAMES]!;
  }

  /** Whether the whole window is known, loud enough, and about as loud everywhere. */
  get isSteady(): boolean {
    let least = Number.POSITIVE_INFINITY;
    let most = 0;
    for (let i = 0; i < WINDOW_FRAMES; i += 1) {
      const power = this.#framePowers[i]!;
      // Says no to what is not known, too.
      if (!(power >= LEAST_POWER)) return false;
      if (power < least) least = power;
      if (power > most) most = power;
    }
    return most <= STEADY_RATIO * least;
  }

  /** A gap lies in the window, or is so near that a codec may not have settled. */
  get isBroken(): boolean {
    return this.#age < SETTLED;
  }

  /** How much sound has come since the latest gap, up to 320 ms. */
  get sinceGapMs(): number {
    return this.#age * FRAME_MS;
  }

  /** The newest frame is one that a codec may have made louder or quieter. */
  get isSettling(): boolean {
    return this.#age <= SETTLING_FRAMES;
  }

  /**
   * Of a broken window: whether enough is known, the newest frame too, and what is settled is about as
   * loud everywhere.
   */
  get isReadable(): boolean {
    let known = 0;
    let least = Number.POSITIVE_INFINITY;
    let most = 0;
    for (let back = 0; back < WINDOW_FRAMES; back += 1) {
      const power = this.knownPower(back);
      if (power > 0) known += 1;
      else if (back === 0 || this.#isQuiet(back)) return false;
      if (!(power > 0) || this.#ageOf(back) < SETTLING_FRAMES) continue;
      if (power < least) least = power;
      if (power > most) most = power;
    }
    return known >= LEAST_KNOWN && !(most > STEADY_RATIO * least);
  }

  /** Mean square of a frame, `back` frames before the newest; 0 when it is not known, or too quiet. */
  knownPower(back: number): number {
    const power = this.#framePowers[this.#at(back)]!;
    const least = this.#ageOf(back) < SETTLING_FRAMES ? LEAST_SETTLING_POWER : LEAST_POWER;
    return power >= least ? power : 0;
  }

  /** Mean square of the loudest frame. */
  get mostPower(): number {
    let most = 0;
    for (let i = 0; i < WINDOW_FRAMES; i += 1) most = Math.max(most, this.knownPower(i));
    return most;
  }

  /** Where the newest frame begins. */
  get newest(): number {
    return this.#at(0) * FRAME_SAMPLES;
  }

  /** Mean square of the window. */
  get power(): number {
    let sum = 0;
    // From the oldest on: the same sound gives the same sum, wherever its frames happen to lie.
    for (let i = 0; i < WINDOW_FRAMES; i += 1) {
      sum += this.#framePowers[(this.#frame + i) % WINDOW_FRAMES]!;
    }
    return sum / WINDOW_FRAMES;
  }

  /** Mean square of a block, `back` blocks before the newest; NaN when it is not known. */
  blockPower(back: number): number {
    return this.#blockPowers[(this.#block - 1 - back) & (BLOCKS - 1)]!;
  }

  /** Takes 20 ms of 16 kHz from `from` on; borrowed. */
  append(pcm: Int16Array, from: number): void {
    const start = this.#frame * FRAME_SAMPLES;
    this.#decimator.decimate(pcm, from, this.samples, start);
    let sum = 0;
    for (let block = 0; block < BLOCKS_PER_FRAME; block += 1) {
      const power = this.#powerOf(start + block * BLOCK_SAMPLES);
      this.#keepBlock(power);
      sum += power;
    }
    this.#keepFrame(sum / BLOCKS_PER_FRAME);
  }

  /** 20 ms of digital silence. */
  appendSilence(): void {
    this.#appendWithout(0, 0);
  }

  /** 20 ms that never were: what comes next is no continuation. */
  appendNothing(): void {
    this.#appendWithout(Number.NaN, 0);
  }

  /** 20 ms of which nothing is known, and after which a codec may have lost its thread. */
  appendGap(): void {
    this.#age = 0;
    this.#appendWithout(Number.NaN, Number.NaN);
  }

  #appendWithout(power: number, blockPower: number): void {
    const start = this.#frame * FRAME_SAMPLES;
    this.samples.fill(0, start, start + FRAME_SAMPLES);
    for (let block = 0; block < BLOCKS_PER_FRAME; block += 1) this.#keepBlock(blockPower);
    this.#keepFrame(power);
    this.#decimator.reset();
  }

  #powerOf(from: number): number {
    let sum = 0;
    for (let i = from; i < from + BLOCK_SAMPLES; i += 1) {
      const sample = this.samples[i]!;
      sum += sample * sample;
    }
    return sum / BLOCK_SAMPLES;
  }

  #keepBlock(power: number): void {
    this.#blockPowers[this.#block & (BLOCKS - 1)] = power;
    this.#block = (this.#block + 1) & (BLOCKS - 1);
  }

  #at(back: number): number {
    return (this.#frame + WINDOW_FRAMES - 1 - back) % WINDOW_FRAMES;
  }

  #ageOf(back: number): number {
    return this.#ages[this.#at(back)]!;
  }

  /** Known to be quiet, which of the first frame after a gap means nothing. */
  #isQuiet(back: number): boolean {
    return this.#framePowers[this.#at(back)]! < LEAST_POWER && this.#ageOf(back) > 0;
  }

  #keepFrame(power: number): void {
    this.#framePowers[this.#frame] = power;
    this.#ages[this.#frame] = this.#age;
    if (!Number.isNaN(power) && this.#age < SETTLED) this.#age += 1;
    this.#frame = this.#frame + 1 === WINDOW_FRAMES ? 0 : this.#frame + 1;
  }
}
