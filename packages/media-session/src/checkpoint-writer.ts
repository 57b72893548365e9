import type { DtmfDetector } from '@earshot/dtmf';
import type { GapReporter } from './gap-reporter.js';
import type { OtherTones } from './other-tones.js';
import type { SharedCheckpoint } from './shared-checkpoint.js';
import { AT, CHECKPOINT_NUMBERS, modelWordsOf } from './stream-checkpoint.js';
import type { StreamSpeech } from './stream-speech.js';
import type { StreamTally } from './stream-tally.js';

/** Frames from one checkpoint to the next. */
const CHECKPOINT_FRAMES = 5;

/**
 * Takes a checkpoint of a stream every few frames, and shows it when told to. Until the first it holds
 * the one that the stream was continued from, if it was.
 */
export class CheckpointWriter {
  readonly #shared: SharedCheckpoint;
  readonly #numbers: Float64Array = new Float64Array(CHECKPOINT_NUMBERS);
  /** Those of the numbers that are the speech model's. */
  readonly #modelWords: Int32Array = modelWordsOf(this.#numbers);
  /** There is one: that of an earlier pipeline, or one taken. */
  readonly isContinued: boolean;
  #isNew = false;
  #frames = 0;
  #isOver = false;

  constructor(shared: SharedCheckpoint) {
    this.#shared = shared;
    this.isContinued = shared.read(this.#numbers);
  }

  /** Sequence number of the next frame after it. */
  get position(): number {
    return this.#numbers[AT.position]!;
  }

  /** End of the last frame before it; NaN when there was none. */
  get endMs(): number {
    return this.#numbers[AT.endMs]!;
  }

  /** A frame is done. */
  countFrame(): void {
    this.#frames += 1;
  }

  get isDue(): boolean {
    return this.#frames >= CHECKPOINT_FRAMES && !this.#isOver;
  }

  /** Takes one, between two frames. */
  take(
    tally: StreamTally,
    endMs: number,
    gaps: GapReporter,
    tones: DtmfDetector,
    otherTones: OtherTones,
    speech: StreamSpeech,
  ): void {
    const numbers = this.#numbers;
    numbers[AT.position] = tally.expected >>> 0;
    numbers[AT.endMs] = endMs;
    numbers[AT.findings] = tally.findings >>> 0;
    gaps.save(numbers, AT.gaps);
    tones.save(numbers, AT.tones);
    otherTones.save(numbers, AT.otherTones);
    speech.save(numbers, AT.speech, this.#modelWords);
    this.#frames = 0;
    this.#isNew = true;
    tally.settledFindings = tally.findings;
    tally.settled = tally.expected;
  }

  /** Puts the detectors into the state that they had at the newest. */
  restore(
    gaps: GapReporter,
    tones: DtmfDetector,
    otherTones: OtherTones,
    speech: StreamSpeech,
  ): void {
    gaps.restore(this.#numbers, AT.gaps, this.endMs);
    tones.restore(this.#numbers, AT.tones);
    otherTones.restore(this.#numbers, AT.otherTones, this.endMs);
    this.restoreSpeech(speech);
  }

  restoreSpeech(speech: StreamSpeech): void {
    speech.restore(this.#numbers, AT.speech, this.#modelWords, this.endMs);
  }

  /** Shows it to the other threads, if it is new. */
  publish(): void {
    if (!this.#isNew) return;
    this.#isNew = false;
    this.#shared.write(this.#numbers);
  }

  /** No more are taken, and one that was not shown is not: the stream ended, or failed. */
  drop(): void {
    this.#isNew = false;
    this.#isOver = true;
  }
}
