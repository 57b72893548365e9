import type { Digit } from './digit.js';
import { HIGH_TONES_HZ, KEYPAD, LOW_TONES_HZ } from './digit.js';
import type { PairReading } from './pair-reading.js';
import type { SoundTrail } from './sound-trail.js';
import { LOOK_BACK } from './sound-trail.js';
import { ToneContrast } from './tone-contrast.js';
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

/** So long after a gap the middle of a window may see it, and what a codec makes of it. */
const MURKY_MS = 50;

/** Sound with less of the tone's magnitude, −9 dB, is not the tone but an echo of it, or its end. */
const FAINT = 0.355;

/** The same soon after a gap, when a codec may still be quiet. */
const MURKY_FAINT = 0.1;

/** So long after a gap a codec may take until what it decodes is what was sent. */
const SETTLING_MS = 25;

/** Least confidence in what a codec has spoiled: below it is what speech has by accident. */
const SPOILED_CONFIDENCE = 0.4;

/** So long after a gap a tone that a codec has spoiled may seem to begin. */
const SPOILED_MS = 40;

/** The same beside a gap, into which the tone may have gone on. */
const MIN_DURATION_BESIDE_GAP_MS = 18;

/** What of a tone is heard must be so long, and, when it is shorter than a tone, a third of it. */
const MIN_HEARD_MS = 15;
const LEAST_HEARD = 1 / 3;

/** Least part of a tone, gaps aside, that must have been clear enough to be read. */
const MIN_READ = 0.3;

/** The same of one that is clear. */
const MIN_READ_CLEAR = 0.2;

/** A digit again so soon after it was reported, and so much quieter (15 dB), is an echo of it. */
const ECHO_MS = 120;
const ECHO = 0.178;

/** Readings of the inside from which on a tone is likely enough to be taken for one. */
const LIKELY_READINGS = 2;

/** Numbers that `ToneCandidate.save` writes. */
const STATE_NUMBERS = 38;

/** A pair of tones, from its first reading on, that may turn out to be a digit. Reused. */
export class ToneCandidate {
  readonly #edges: ToneEdges = new ToneEdges();
  readonly #evidence: ToneEvidence = new ToneEvidence();
  /** What all readings say, those of its edges and of what a codec makes of it after a gap, too. */
  readonly #rough: ToneEvidence = new ToneEvidence();
  readonly #contrast: ToneContrast = new ToneContrast();
  #open = false;
  #row = 0;
  #column = 0;
  #lastHeardMs = 0;
  #bridgedMs = 0;
  /** Gaps since it was heard that it is assumed to have gone on through. */
  #assumedMs = 0;
  /** Magnitude of the tone that was reported last; 0 when what was closed last was none. */
  #reported = 0;

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

  /** Whether its numbers can be those of a tone, as those that were kept need not be. */
  get isPossible(): boolean {
    if (!this.#open) return !Number.isNaN(this.#reported);
    const isTone = this.#bridgedMs >= 0 && this.#assumedMs >= 0 && this.#contrast.isPossible;
    const isHeard = this.#evidence.isPossible && this.#rough.isPossible;
    return isTone && isHeard && this.#edges.arePossible(this.#lastHeardMs);
  }

  /** Starts anew with the pair of `reading`, heard in the present spectrum of `trail`. */
  begin(reading: PairReading, middleMs: number, trail: SoundTrail): void {
    this.#open = true;
    this.#row = reading.row;
    this.#column = reading.column;
    this.#lastHeardMs = middleMs;
    this.#bridgedMs = 0;
    this.#assumedMs = 0;
    this.#evidence.reset();
    this.#rough.reset();
    this.#rough.add(reading);
    this.#contrast.begin(trail.totalPower(LOOK_BACK));
    this.#edges.begin(reading.row, reading.column, middleMs, trail);
  }

  /**
   * Whether `reading`, of the present spectrum of `trail`, is more of it.
   *
   * @param sinceGapMs from the end of the latest gap to the window's middle
   */
  goesOnIn(reading: PairReading, trail: SoundTrail, sinceGapMs: number): boolean {
    if (!this.isOf(reading)) return false;
    return isMurky(sinceGapMs) || !this.#edges.isFaint(this.#magnitude(trail), FAINT);
  }

  isOf(reading: PairReading): boolean {
    return reading.row === this.#row && reading.column === this.#column;
  }

  /** Whether `reading` is but an echo of the tone that was reported last. */
  isEchoedBy(reading: PairReading, middleMs: number, trail: SoundTrail): boolean {
    if (this.#reported === 0 || !this.isOf(reading)) return false;
    return middleMs - this.#lastHeardMs < ECHO_MS && this.#magnitude(trail) < ECHO * this.#reported;
  }

  /**
   * @param gapMs how much of a gap lies between this reading and the one before
   * @param sinceGapMs from the end of the latest gap to the window's middle
   */
  heard(
    reading: PairReading,
    middleMs: number,
    trail: SoundTrail,
    gapMs: number,
    sinceGapMs: number,
  ): void {
    this.#rough.add(reading);
    this.#contrast.heard();
    const isInside = this.#edges.heard(middleMs, this.#magnitude(trail));
    if (isInside && !isMurky(sinceGapMs)) this.#evidence.add(reading);
    else if (isInside) {
      this.#evidence.addIfFit(reading, LOW_TONES_HZ[this.#row]!, HIGH_TONES_HZ[this.#column]!);
    }
    this.#lastHeardMs = middleMs;
    this.#bridgedMs += this.#assumedMs + gapMs;
    this.#assumedMs = 0;
  }

  /**
   * The tone's power is there, though it was not heard: right after a gap that a codec has not
   * recovered from. True when it was taken for the tone.
   */
  assume(middleMs: number, trail: SoundTrail, gapMs: number, sinceGapMs: number): boolean {
    if (!isMurky(sinceGapMs)) return false;
    if (this.#edges.isFaint(this.#magnitude(trail), MURKY_FAINT)) return false;
    this.#lastHeardMs = middleMs;
    this.#assumedMs += gapMs;
    return true;
  }

  unheard(middleMs: number, trail: SoundTrail): void {
    this.#edges.unheard(middleMs, this.#magnitude(trail));
    this.#contrast.unheard(trail.totalPower(0));
  }

  /**
   * Ends it; returns the tone if it was one.
   *
   * @param gapStartMs where the latest gap began, and where it ended
   */
  close(gapStartMs: number, gapEndMs: number): DetectedTone | undefined {
    this.#open = false;
    this.#reported = 0;
    const startMs = this.#edges.startMs();
    const endMs = this.#edges.endMs();
    const durationMs = endMs - startMs;
    const evidence = this.#evidenceFor(startMs, endMs, gapStartMs, gapEndMs);
    if (evidence === undefined) return undefined;
    const { levelDbfs, twistDb } = evidence;
    const digit = KEYPAD[this.#row * GROUP + this.#column]!;
    const acrossGap = this.#bridgedMs > 0;
    this.#reported = this.#edges.reference;
    const confidence = evidence.confidence(LOW_TONES_HZ[this.#row]!, HIGH_TONES_HZ[this.#column]!);
    return { digit, startMs, endMs, durationMs, levelDbfs, twistDb, confidence, acrossGap };
  }

  /** What makes it a digit; undefined: nothing does. */
  #evidenceFor(
    startMs: number,
    endMs: number,
    gapStartMs: number,
    gapEndMs: number,
  ): ToneEvidence | undefined {
    const durationMs = endMs - startMs;
    const sinceGapMs = startMs - gapEndMs;
    const endsInGap = Math.abs(endMs - gapStartMs) < HOP_MS;
    const besideGap = (sinceGapMs > -HOP_MS && sinceGapMs < SETTLING_MS) || endsInGap;
    const heardMs = durationMs - this.#bridgedMs;
    if (heardMs < MIN_HEARD_MS) return undefined;
    if (heardMs < MIN_DURATION_MS && heardMs < LEAST_HEARD * durationMs) return undefined;
    if (this.#isDigit(durationMs, besideGap)) {
      // What is too short by itself must be switched, too.
      const isWhole = heardMs >= MIN_DURATION_MS;
      if (isWhole || this.#contrast.isSwitched(this.#evidence.power)) return this.#evidence;
    }
    // The inside tells R1's pair best.
    if (this.#evidence.isR1(LOW_TONES_HZ[this.#row]!, HIGH_TONES_HZ[this.#column]!))
      return undefined;
    const isSpoiled =
      this.#bridgedMs > 0 || endsInGap || (sinceGapMs > -HOP_MS && sinceGapMs < SPOILED_MS);
    if (isSpoiled && this.#isSpoiledDigit()) return this.#rough;
    return durationMs >= MIN_DURATION_MS && this.#isCoarseDigit() ? this.#rough : undefined;
  }

  #isDigit(durationMs: number, besideGap: boolean): boolean {
    if (durationMs < (besideGap ? MIN_DURATION_BESIDE_GAP_MS : MIN_DURATION_MS)) return false;
    if (!this.#supported()) return false;
    const clear = this.#evidence.isClear(LOW_TONES_HZ[this.#row]!, HIGH_TONES_HZ[this.#column]!);
    const minReadMs = (clear ? MIN_READ_CLEAR : MIN_READ) * (durationMs - this.#bridgedMs);
    if (this.#evidence.readings * HOP_MS < minReadMs) return false;
    return this.#evidence.isEnough(!besideGap, clear);
  }

  /** Beside a gap little is left of a tone, and of that a codec may have made another. */
  #isSpoiledDigit(): boolean {
    const rough = this.#rough;
    if (!rough.supportsSpoiled(LOW_TONES_HZ[this.#row]!, HIGH_TONES_HZ[this.#column]!))
      return false;
    const confidence = rough.confidence(LOW_TONES_HZ[this.#row]!, HIGH_TONES_HZ[this.#column]!);
    return confidence >= SPOILED_CONFIDENCE && this.#contrast.isSwitched(rough.power);
  }

  /** A codec that is short of bits makes tones waver; what stands alone is dialled all the same. */
  #isCoarseDigit(): boolean {
    const rough = this.#rough;
    if (!rough.supportsCoarse(LOW_TONES_HZ[this.#row]!, HIGH_TONES_HZ[this.#column]!)) return false;
    return this.#contrast.isAlone(rough.power);
  }

  /** Ends it without a judgement. */
  abandon(): void {
    this.#open = false;
    this.#reported = 0;
  }

  /**
   * Writes its state from `out[at]` on, that of the last one when it is not open, zeros when that
   * was no tone; returns where the next may follow.
   */
  save(out: Float64Array, at: number): number {
    if (!this.#open) out.fill(0, at, at + STATE_NUMBERS);
    if (!this.#open && this.#reported === 0) return at + STATE_NUMBERS;
    out[at] = this.#open ? 1 : 0;
    out[at + 1] = this.#row;
    out[at + 2] = this.#column;
    out[at + 3] = this.#lastHeardMs;
    out[at + 4] = this.#open ? this.#bridgedMs : this.#reported;
    if (!this.#open) return at + STATE_NUMBERS;
    out[at + 5] = this.#assumedMs;
    const next = this.#evidence.save(out, this.#edges.save(out, at + 6));
    return this.#contrast.save(out, this.#rough.save(out, next));
  }

  /** Reads back what `save` wrote; anything but a pair of the keypad is not open. */
  restore(from: Float64Array, at: number): number {
    this.#row = from[at + 1]!;
    this.#column = from[at + 2]!;
    const isPair =
      LOW_TONES_HZ[this.#row] !== undefined && HIGH_TONES_HZ[this.#column] !== undefined;
    this.#open = from[at] === 1 && isPair;
    this.#lastHeardMs = from[at + 3]!;
    this.#bridgedMs = this.#open ? from[at + 4]! : 0;
    this.#reported = this.#open || !isPair ? 0 : from[at + 4]!;
    this.#assumedMs = from[at + 5]!;
    const next = this.#evidence.restore(from, this.#edges.restore(from, at + 6));
    return this.#contrast.restore(from, this.#rough.restore(from, next));
  }

  #magnitude(trail: SoundTrail): number {
    return trail.magnitude(0, this.#row, this.#column);
  }

  #supported(): boolean {
    return this.#evidence.supports(LOW_TONES_HZ[this.#row]!, HIGH_TONES_HZ[this.#column]!);
  }
}

/** From the end of a gap to a window's middle: whether what it saw may be other than what was sent. */
function isMurky(sinceGapMs: number): boolean {
  return sinceGapMs >= 0 && sinceGapMs < MURKY_MS;
}
