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

/** Steady sound: no frame of the window has 4 dB more than another; two tones beat by less. */
const STEADY_RATIO = 2.5;

/** The latest 120 ms of sound at 8 kHz, and how loud it was for a while longer. */
export class SoundWindow {
  /** Frames in turn; the oldest begins at `oldest`. */
  readonly samples: Float64Array = new Float64Array(WINDOW_FRAMES * FRAME_SAMPLES);
  readonly #decimator: HalfBandDecimator = new HalfBandDecimator(FRAME_SAMPLES);
  readonly #framePowers: Float64Array = new Float64Array(WINDOW_FRAMES);
  readonly #blockPowers: Float64Array = new Float64Array(BLOCKS);
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
    this.#appendWithout(0);
  }

  /** 20 ms of which nothing is known. */
  appendUnknown(): void {
    this.#appendWithout(Number.NaN);
  }

  #appendWithout(power: number): void {
    const start = this.#frame * FRAME_SAMPLES;
    this.samples.fill(0, start, start + FRAME_SAMPLES);
    for (let block = 0; block < BLOCKS_PER_FRAME; block += 1) this.#keepBlock(power);
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

  #keepFrame(power: number): void {
    this.#framePowers[this.#frame] = power;
    this.#frame = this.#frame + 1 === WINDOW_FRAMES ? 0 : this.#frame + 1;
  }
}
