import type { CallTone, CallToneKind } from '@earshot/call-tones';
import { CALL_TONE_STATE_NUMBERS, CallToneDetector } from '@earshot/call-tones';
import type { OtherToneFinding } from './finding.js';

/** The pipeline's step for tones that are no digits: nothing at all while none is asked for. */
export class OtherTones {
  readonly #report: (finding: OtherToneFinding) => void;
  #detector: CallToneDetector | undefined;

  constructor(kinds: readonly CallToneKind[], report: (finding: OtherToneFinding) => void) {
    this.#report = report;
    this.listenFor(kinds);
  }

  /** From now on these are told. What sounds already is heard from here on. */
  listenFor(kinds: readonly CallToneKind[]): void {
    if (kinds.length === 0) this.#detector = undefined;
    else if (this.#detector !== undefined) this.#detector.listenFor(kinds);
    else this.#detector = new CallToneDetector({ kinds, onTone: (tone) => this.#tell(tone) });
  }

  process(pcm: Int16Array, mediaTimeMs: number): void {
    this.#detector?.process(pcm, mediaTimeMs);
  }

  silence(mediaTimeMs: number): void {
    this.#detector?.silence(mediaTimeMs);
  }

  gap(durationMs: number): void {
    this.#detector?.gap(durationMs);
  }

  discontinuity(): void {
    this.#detector?.discontinuity();
  }

  /** Writes what is known from `out[at]` on; NaN while none is asked for. */
  save(out: Float64Array, at: number): void {
    if (this.#detector === undefined) out.fill(Number.NaN, at, at + CALL_TONE_STATE_NUMBERS);
    else this.#detector.save(out, at);
  }

  restore(from: Float64Array, at: number): void {
    this.#detector?.restore(from, at);
  }

  #tell({ kind: tone, ...heard }: CallTone): void {
    this.#report({ kind: 'otherTone', tone, ...heard });
  }
}
