import type { Concealer } from '@earshot/audio';
import { PTIME_MS, rmsDbfs } from '@earshot/audio';
import type { FrameSlot } from './frame-ring.js';
import type { ListenerTap } from './listener-tap.js';
import type { OpusSource } from './opus-source.js';
import type { StreamDetectors } from './stream-detectors.js';
import { FRAME_SAMPLES, MAX_CONCEALED_FRAMES } from './stream-pipeline-options.js';

export interface GapFillerOptions {
  /** Of a stream of Opus. */
  readonly opus: OpusSource | undefined;
  readonly concealer: Pick<Concealer, 'conceal'>;
  readonly detectors: StreamDetectors;
  readonly tap: ListenerTap;
}

/** Fills what is missing in one stream as far as that is honest, and lets the detectors hear it. */
export class GapFiller {
  readonly #options: GapFillerOptions;
  /** Frames that the last gap's first ones were concealed in. */
  concealed = 0;
  /** Whether the last gap's last frame is as it was sent. */
  recovered = false;

  constructor(options: GapFillerOptions) {
    this.#options = options;
  }

  /**
   * Fills a gap; `concealed` and `recovered` say how.
   *
   * @param next the packet that follows, when it will be decoded
   * @param expected sequence of the first missing frame
   */
  fill(
    missing: number,
    startMs: number,
    next: FrameSlot | undefined,
    expected: number,
    pcm: Int16Array,
  ): void {
    const { opus, detectors, tap } = this.#options;
    opus?.pause(missing);
    const isRecoverable =
      next !== undefined && opus?.carriesPrevious(next.payload, next.length) === true;
    const unknown = isRecoverable ? missing - 1 : missing;
    if (unknown > 0) tap.lost(startMs, unknown, expected);
    this.conceal(unknown, startMs, pcm);
    const lastMs = startMs + unknown * PTIME_MS;
    this.recovered = isRecoverable && this.#recover(next, lastMs, expected, pcm);
    if (missing <= MAX_CONCEALED_FRAMES) detectors.tonesMissed(missing, this.recovered ? 1 : 0);
    else detectors.tonesCut();
    if (this.recovered) detectors.tones.process(pcm, lastMs);
  }

  /** Fills in what is missing as far as that is honest; `concealed` says how many frames. */
  conceal(missing: number, startMs: number, pcm: Int16Array): void {
    const { concealer, detectors } = this.#options;
    let concealed = 0;
    while (concealed < missing && concealer.conceal(pcm)) {
      const levelDbfs = rmsDbfs(pcm, 0, FRAME_SAMPLES);
      detectors.hearSpeech(startMs + concealed * PTIME_MS, levelDbfs, pcm);
      concealed += 1;
    }
    const silentMs = (missing - concealed) * PTIME_MS;
    if (silentMs > 0) detectors.passSpeech(startMs + concealed * PTIME_MS, silentMs);
    this.concealed = concealed;
  }

  /** The frame before `next`, from the copy of it that `next` carries: what was really said. */
  #recover(next: FrameSlot, startMs: number, expected: number, pcm: Int16Array): boolean {
    const { opus, detectors, tap } = this.#options;
    opus?.meet();
    const recovered = opus?.recover(next.payload, next.length, pcm) ?? false;
    if (recovered) {
      tap.sound(startMs, pcm, expected);
      detectors.hearSpeech(startMs, rmsDbfs(pcm, 0, FRAME_SAMPLES), pcm);
    } else {
      tap.lost(startMs, 1, expected);
      detectors.passSpeech(startMs, PTIME_MS);
    }
    return recovered;
  }
}
