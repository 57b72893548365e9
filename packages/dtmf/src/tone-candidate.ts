import type { Digit } from './digit.js';
import { HIGH_TONES_HZ, KEYPAD, LOW_TONES_HZ } from './digit.js';
import type { PairReading } from './pair-reading.js';
import type { SoundTrail } from './sound-trail.js';
import { ToneEdges } from './tone-edges.js';
import { ToneEvidence } from './tone-evidence.js';
import { GROUP, HOP_MS } from './tone-spectrum.js';

/** A tone that was heard, from where it began to where it ended on the media clock. */
export interface DetectedTone {
  readonly digit: Digit;
  readonly startMs: number;
  readonly endMs: number;
  /** From start to end; breaks and gaps within the tone count. */
  readonly durationMs: number;
  /** Root-mean-square level of both tones together; 0 is a square wave at full scale. */
  readonly levelDbfs: number;
  /** How much stronger the high tone is than the low one. */
  readonly twistDb: number;
  /**
   * 0 to 1: how clear it was. A long tone alone has 0.9 and more, one of 40 ms 0.8; noise, speech
   * over it and frequencies that are off take from it, down to 0.25 for what only just passed.
   */
  readonly confidence: number;
  /** True when the tone was heard on both sides of a gap: what lies between is assumed. */
  readonly acrossGap: boolean;
}

/** Shortest tone: 40 ms must be heard, 23 must not (ITU-T Q.24). */
const MIN_DURATION_MS = 34;

/** The same beside a gap, into which the tone may have gone on. */
const MIN_DURATION_BESIDE_GAP_MS = 24;

/** Least part of a tone, gaps aside, that must have been clear enough to be read. */
const MIN_CLEAR = 0.38;

/** Readings of the inside from which on a tone is likely enough to be taken for one. */
const LIKELY_READINGS = 2;

/** Numbers that `ToneCandidate.save` writes. */
const STATE_NUMBERS = 25;

/** A pair of tones, from its first reading on, that may turn out to be a digit. Reused. */
export class ToneCandidate {
  readonly #edges: ToneEdges = new ToneEdges();
  readonly #evidence: ToneEvidence = new ToneEvidence();
  #open = false;
  #row = 0;
  #column = 0;
  #lastHeardMs = 0;
  #bridgedMs = 0;

  /** True from `begin` to `close`. */
  get open(): boolean {
    return this.#open;
  }

  /** True when it probably is a digit, as far as it was heard. */
  get likely(): boolean {
    return this.#open && this.#evidence.readings >= LIKELY_READINGS && this.#supported();
  }

  /** Middle of the last window in which the pair was heard. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  /** Starts anew with the pair of `reading`, heard in the present spectrum of `trail`. */
  begin(reading: PairReading, middleMs: number, trail: SoundTrail): void {
    this.#open = true;
    this.#row = reading.row;
    this.#column = reading.column;
    this.#lastHeardMs = middleMs;
    this.#bridgedMs = 0;
    this.#evidence.reset();
    this.#edges.begin(reading.row, reading.column, middleMs, trail);
  }

  isOf(reading: PairReading): boolean {
    return reading.row === this.#row && reading.column === this.#column;
  }

  /** @param gapMs how much of a gap lies between this reading and the one before */
  heard(reading: PairReading, middleMs: number, trail: SoundTrail, gapMs: number): void {
    const magnitude = trail.magnitude(0, this.#row, this.#column);
    if (this.#edges.heard(middleMs, magnitude)) this.#evidence.add(reading);
    this.#lastHeardMs = middleMs;
    this.#bridgedMs += gapMs;
  }

  unheard(middleMs: number, trail: SoundTrail): void {
    this.#edges.unheard(middleMs, trail.magnitude(0, this.#row, this.#column));
  }

  /**
   * Ends it; returns the tone if it was one.
   *
   * @param gapStartMs where the latest gap began, and where it ended
   */
  close(gapStartMs: number, gapEndMs: number): DetectedTone | undefined {
    this.#open = false;
    const startMs = this.#edges.startMs();
    const endMs = this.#edges.endMs();
    const durationMs = endMs - startMs;
    const { readings, levelDbfs, twistDb } = this.#evidence;
    const besideGap =
      Math.abs(startMs - gapEndMs) < HOP_MS || Math.abs(endMs - gapStartMs) < HOP_MS;
    if (durationMs < (besideGap ? MIN_DURATION_BESIDE_GAP_MS : MIN_DURATION_MS)) return undefined;
    if (readings * HOP_MS < MIN_CLEAR * (durationMs - this.#bridgedMs)) return undefined;
    if (!this.#evidence.isEnough(!besideGap) || !this.#supported()) return undefined;
    const digit = KEYPAD[this.#row * GROUP + this.#column]!;
    const acrossGap = this.#bridgedMs > 0;
    const confidence = this.#evidence.confidence(
      LOW_TONES_HZ[this.#row]!,
      HIGH_TONES_HZ[this.#column]!,
    );
    return { digit, startMs, endMs, durationMs, levelDbfs, twistDb, confidence, acrossGap };
  }

  /** Ends it without a judgement. */
  abandon(): void {
    this.#open = false;
  }

  /**
   * Writes its state from `out[at]` on, all zeros when it is not open; returns where the next may
   * follow.
   */
  save(out: Float64Array, at: number): number {
    if (!this.#open) {
      out.fill(0, at, at + STATE_NUMBERS);
      return at + STATE_NUMBERS;
    }
    out[at] = 1;
    out[at + 1] = this.#row;
    out[at + 2] = this.#column;
    out[at + 3] = this.#lastHeardMs;
    out[at + 4] = this.#bridgedMs;
    return this.#evidence.save(out, this.#edges.save(out, at + 5));
  }

  /** Reads back what `save` wrote; anything but a pair of the keypad is not open. */
  restore(from: Float64Array, at: number): number {
    this.#row = from[at + 1]!;
    this.#column = from[at + 2]!;
    const isPair =
      LOW_TONES_HZ[this.#row] !== undefined && HIGH_TONES_HZ[this.#column] !== undefined;
    this.#open = from[at] === 1 && isPair;
    this.#lastHeardMs = from[at + 3]!;
    this.#bridgedMs = from[at + 4]!;
    return this.#evidence.restore(from, this.#edges.restore(from, at + 5));
  }

  #supported(): boolean {
    return this.#evidence.supports(LOW_TONES_HZ[this.#row]!, HIGH_TONES_HZ[this.#column]!);
  }
}
