import type { CallTone, CallToneKind } from '@earshot/call-tones';
import { CALL_TONE_STATE_NUMBERS, CallToneDetector } from '@earshot/call-tones';
import type { OtherToneFinding } from './finding.js';

/** The pipeline's step for tones that are no digits: nothing at all while none is asked for. */
export class OtherTones {
  readonly #report: (finding: OtherToneFinding) => void;
  /** One sounds, whether it is told or not: that is no speech. A field, which costs no call. */
  isHeard = false;
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
    this.#look();
  }

  process(pcm: Int16Array, mediaTimeMs: number): void {
    if (this.#detector === undefined) return;
    this.#detector.process(pcm, mediaTimeMs);
    this.#look();
  }

  silence(mediaTimeMs: number): void {
    if (this.#detector === undefined) return;
    this.#detector.silence(mediaTimeMs);
    this.#look();
  }

  gap(durationMs: number): void {
    if (this.#detector === undefined) return;
    this.#detector.gap(durationMs);
    this.#look();
  }

  discontinuity(): void {
    if (this.#detector === undefined) return;
    this.#detector.discontinuity();
    this.#look();
  }

  /** Writes what is known from `out[at]` on; NaN while none is asked for. */
  save(out: Float64Array, at: number): void {
    if (this.#detector === undefined) out.fill(Number.NaN, at, at + CALL_TONE_STATE_NUMBERS);
    else this.#detector.save(out, at);
  }

  /** @param nowMs end of what was heard when it was written; NaN when nothing was */
  restore(from: Float64Array, at: number, nowMs: number): void {
    if (this.#detector === undefined) return;
    this.#detector.restore(from, at, nowMs);
    this.#look();
  }

  #look(): void {
    this.isHeard = this.#detector?.isHeard === true;
  }

  #tell({ kind: tone, ...heard }: CallTone): void {
    this.#report({ kind: 'otherTone', tone, ...heard });
  }
}
