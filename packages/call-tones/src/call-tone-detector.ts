import { isPast } from '@earshot/audio';
import type { CallTone, CallToneKind } from './call-tone.js';
import { KindRules, RULES_NUMBERS } from './kind-rules.js';
import { SegmentTracker, TRACKER_NUMBERS } from './segment-tracker.js';
import { FRAME_MS, SoundWindow, WINDOW_FRAMES } from './sound-window.js';
import type { ToneSegment } from './tone-segment.js';
import { SOUND } from './tone-sound.js';

export interface CallToneDetectorOptions {
  /** Those that are told; the others are known too, and keep quiet. */
  readonly kinds: readonly CallToneKind[];
  /**
   * Called once for each tone, from within `process`, `silence`, `gap` or `discontinuity`; it must not
   * call the detector. The tone is its to keep.
   */
  readonly onTone: (tone: CallTone) => void;
}

const SAMPLE_RATE_HZ = 16_000;
const INPUT_FRAME = (SAMPLE_RATE_HZ * FRAME_MS) / 1000;

/** Media time may jitter by so much from one call to the next without meaning anything. */
const JITTER_MS = 10;

/** Frames of silence after which more make no difference. */
const MOST_SILENT_FRAMES = WINDOW_FRAMES + 8;

/** Numbers that `CallToneDetector.save` writes. */
export const CALL_TONE_STATE_NUMBERS: number = 1 + TRACKER_NUMBERS + RULES_NUMBERS;

/**
 * Finds tones that are no digits in one channel of PCM16 at 16 kHz, 20 ms at a time: steady sound is
 * looked at by a spectrum of 120 ms at 8 kHz, tones are followed from edge to edge, and told by
 * frequency, length and rhythm. Allocates nothing but the tones that it reports.
 */
export class CallToneDetector {
  readonly #onTone: (tone: CallTone) => void;
  #kinds: ReadonlySet<CallToneKind>;
  readonly #window: SoundWindow = new SoundWindow();
  readonly #rules: KindRules;
  readonly #tracker: SegmentTracker;
  /** Media time of the next sample; NaN when any time may come next. */
  #nextMs = Number.NaN;
  /** Where the sound begins that `process` was given. */
  #givenMs = Number.NaN;

  constructor({ kinds, onTone }: CallToneDetectorOptions) {
    this.#kinds = new Set(kinds);
    this.#onTone = onTone;
    this.#rules = new KindRules((kind, startMs, endMs, confidence, segment) =>
      this.#tell(kind, startMs, endMs, confidence, segment),
    );
    this.#tracker = new SegmentTracker(
      this.#window,
      (segment) => this.#rules.begun(segment),
      (segment) => this.#rules.closed(segment),
    );
  }

  /** A steady tone, or a pair of them, sounds; known 0.12 s after it began. */
  get isHeard(): boolean {
    return this.#tracker.open.sound !== SOUND.none;
  }

  /** From now on these are told. */
  listenFor(kinds: readonly CallToneKind[]): void {
    this.#kinds = new Set(kinds);
  }

  /**
   * Takes the next sound.
   *
   * @param pcm borrowed for the call; any multiple of 20 ms
   * @param mediaTimeMs where it begins. What a jump of more than 10 ms leaves out was silent.
   * @throws RangeError when `pcm` is no multiple of 20 ms
   */
  process(pcm: Int16Array, mediaTimeMs: number): void {
    // Handed on in a field, so that V8 need not box the time.
    this.#givenMs = mediaTimeMs;
    this.#process(pcm);
  }

  /** 20 ms of digital silence. */
  silence(mediaTimeMs: number): void {
    this.#givenMs = mediaTimeMs;
    this.#meetTime();
    this.#window.appendSilence();
    this.#step();
  }

  /**
   * The next stretch is missing, or was made up and must not be listened to. A tone heard right before
   * and right after up to 100 ms of it is one tone; longer gaps end it.
   */
  gap(durationMs: number): void {
    if (!(durationMs > 0) || Number.isNaN(this.#nextMs)) return;
    const frames = Math.min(MOST_SILENT_FRAMES, Math.round(durationMs / FRAME_MS));
    for (let frame = 0; frame < frames; frame += 1) this.#window.appendGap();
    this.#tracker.gap(durationMs);
    this.#nextMs += durationMs;
  }

  /**
   * What comes next is no continuation, or nothing comes: a tone that sounds ended where it was heard.
   * Cadences go on: media time says how long the pause was.
   */
  discontinuity(): void {
    this.#tracker.end();
    this.#rules.settle();
    for (let frame = 0; frame < WINDOW_FRAMES; frame += 1) this.#window.appendNothing();
    this.#nextMs = Number.NaN;
  }

  /** Writes what it knows from `out[at]` on, but for the sound itself. */
  save(out: Float64Array, at: number): number {
    out[at] = this.#nextMs;
    return this.#rules.save(out, this.#tracker.save(out, at + 1));
  }

  /**
   * Reads back what `save` wrote. The sound before, 320 ms of it, should have been given. Of tones and
   * times that can't be true none is believed.
   *
   * @param nowMs end of what was heard when it was written; NaN when nothing was
   */
  restore(from: Float64Array, at: number, nowMs: number): number {
    const nextMs = from[at]!;
    this.#nextMs = isPast(nextMs, nowMs) ? nextMs : Number.NaN;
    return this.#rules.restore(from, this.#tracker.restore(from, at + 1, nowMs), nowMs);
  }

  #process(pcm: Int16Array): void {
    if (pcm.length % INPUT_FRAME !== 0) {
      throw new RangeError(
        `Cannot look for tones: PCM must be a multiple of ${INPUT_FRAME} samples, got ${pcm.length}`,
      );
    }
    this.#meetTime();
    for (let from = 0; from < pcm.length; from += INPUT_FRAME) {
      this.#window.append(pcm, from);
      this.#step();
    }
  }

  /** What a jump of the media clock leaves out was silent: so much of it as makes a difference. */
  #meetTime(): void {
    const jumpMs = this.#givenMs - this.#nextMs;
    if (Math.abs(jumpMs) <= JITTER_MS || Number.isNaN(jumpMs)) {
      this.#nextMs = this.#givenMs;
      return;
    }
    if (jumpMs < 0) this.discontinuity();
    const frames = Math.min(MOST_SILENT_FRAMES, Math.round(Math.max(0, jumpMs) / FRAME_MS));
    for (let frame = 0; frame < frames; frame += 1) {
      this.#window.appendSilence();
      this.#step();
    }
    this.#nextMs = this.#givenMs;
  }

  #step(): void {
    this.#nextMs += FRAME_MS;
    this.#tracker.step(this.#nextMs);
    this.#rules.step(this.#tracker.open, this.#nextMs);
  }

  #tell(
    kind: CallToneKind,
    startMs: number,
    endMs: number,
    confidence: number,
    { levelDbfs, acrossGap }: ToneSegment,
  ): void {
    if (!this.#kinds.has(kind)) return;
    const durationMs = endMs - startMs;
    this.#onTone({ kind, startMs, durationMs, levelDbfs, confidence, acrossGap });
  }
}
