import { isPast } from '@earshot/audio';
import { cadenceOf, EXCHANGE_HIGH_HZ, EXCHANGE_LOW_HZ, isCadenced } from './cadence.js';
import type { CallToneKind } from './call-tone.js';
import { CALL_TONE_KINDS } from './call-tone.js';
import { WINDOW_MS } from './sound-window.js';
import { SEGMENT_NUMBERS, ToneSegment } from './tone-segment.js';
import { SOUND } from './tone-sound.js';

/** Beeps: higher than the tones of exchanges. Shorter ones fill no window. */
const BEEP = {
  lowHz: 500,
  highHz: 2600,
  leastMs: 150,
  mostMs: 2500,
  leastShare: 0.94,
  leastShareAtGaps: 0.9,
} as const;
/** Another tone so near in time makes a melody of both. */
const MELODY_MS = 100;
/** After its end it takes so long until another tone that is near would have been heard. */
const BEEP_WAIT_MS: number = MELODY_MS + WINDOW_MS + 20;

/** ITU-T T.30: 1100 ± 38 Hz, 0.5 s in 3.5, ± 15 %. */
const CNG = { lowHz: 1062, highHz: 1138, leastMs: 400, mostMs: 600 } as const;
/** What calls again so soon is the same fax, also if it was not heard once. */
const CNG_AGAIN_MS = 7000;

/** ITU-T T.30, V.25: 2100 ± 15 Hz, 2.6 to 4 s, its phase reversed every 450 ms or not. */
const CED = { lowHz: 2080, highHz: 2120, leastMs: 1000 } as const;

/** Longer than any tone of an exchange that comes and goes. */
const DIAL_AFTER_MS = 3000;
/** What goes on again so soon is the same. */
const SAME_DIAL_MS = 1000;

/** The longest pause in a cadence: what comes later is another. */
const SAME_CADENCE_MS = 7000;

/** ITU-T E.180: three rising tones of 330 ± 70 ms. */
const SIT = [
  { lowHz: 890, highHz: 1010 },
  { lowHz: 1345, highHz: 1455 },
  { lowHz: 1740, highHz: 1850 },
] as const;
const SIT_TONE = { leastMs: 200, mostMs: 460 } as const;
const SIT_PAUSE_MS = 90;
/** Where a gap hides their edges. */
const SIT_AT_GAPS = { leastMs: 140, mostMs: 500, pauseMs: 160 } as const;

/** What is less sure because its like was heard only once. */
const ONCE = 0.8;

/** Numbers that `KindRules.save` writes. */
export const RULES_NUMBERS: number = 2 * SEGMENT_NUMBERS + 5;

/** Takes a tone: kind, from where to where, how sure; and the segment that tells its level. */
export type TellTone = (
  kind: CallToneKind,
  startMs: number,
  endMs: number,
  confidence: number,
  segment: ToneSegment,
) => void;

/** Decides what steady tones mean, by their frequencies, lengths and rhythm. */
export class KindRules {
  readonly #tell: TellTone;
  readonly #previous: ToneSegment = new ToneSegment();
  readonly #beforePrevious: ToneSegment = new ToneSegment();
  /** The previous tone is a beep if no other follows. */
  #isBeep = false;
  #cadence: CallToneKind | undefined;
  /** Ends of the latest tones of kinds that go on after a pause. */
  #cadenceEndMs = Number.NEGATIVE_INFINITY;
  #cngEndMs = Number.NEGATIVE_INFINITY;
  #dialEndMs = Number.NEGATIVE_INFINITY;

  constructor(tell: TellTone) {
    this.#tell = tell;
    this.reset();
  }

  /** A tone has begun, and is long enough to be one. */
  begun(segment: ToneSegment): void {
    if (segment.startMs - this.#previous.endMs < MELODY_MS) this.#isBeep = false;
    if (isDial(segment) && segment.startMs - this.#dialEndMs < SAME_DIAL_MS) segment.isTold = true;
  }

  /** It is `nowMs`, and this tone sounds, if any. */
  step(open: ToneSegment, nowMs: number): void {
    if (this.#isBeep && nowMs - this.#previous.endMs >= BEEP_WAIT_MS) this.settle();
    if (open.isTold || !isDial(open) || open.endMs - open.startMs < DIAL_AFTER_MS) return;
    open.isTold = true;
    this.#tell('dial', open.startMs, open.endMs, confidenceOf(open), open);
  }

  /** Nothing follows for now: what waits to be sure is told. */
  settle(): void {
    if (!this.#isBeep) return;
    this.#isBeep = false;
    const { startMs, endMs } = this.#previous;
    this.#tell('beep', startMs, endMs, confidenceOf(this.#previous), this.#previous);
  }

  /** A tone has ended. */
  closed(segment: ToneSegment): void {
    if (isDial(segment) && segment.isTold) this.#dialEndMs = segment.endMs;
    else if (isCadenced(segment)) this.#cadenced(segment);
    else if (segment.sound === SOUND.single) this.#single(segment);
    this.#beforePrevious.copyFrom(this.#previous);
    this.#previous.copyFrom(segment);
  }

  reset(): void {
    this.#previous.clear();
    this.#beforePrevious.clear();
    this.#isBeep = false;
    this.#cadence = undefined;
    this.#cadenceEndMs = Number.NEGATIVE_INFINITY;
    this.#cngEndMs = Number.NEGATIVE_INFINITY;
    this.#dialEndMs = Number.NEGATIVE_INFINITY;
  }

  save(out: Float64Array, at: number): number {
    const next = this.#beforePrevious.save(out, this.#previous.save(out, at));
    out[next] = this.#isBeep ? 1 : 0;
    out[next + 1] = this.#cadence === undefined ? 0 : CALL_TONE_KINDS.indexOf(this.#cadence) + 1;
    out[next + 2] = orNaN(this.#cadenceEndMs);
    out[next + 3] = orNaN(this.#cngEndMs);
    out[next + 4] = orNaN(this.#dialEndMs);
    return next + 5;
  }

  /** @param nowMs end of what was heard when it was written */
  restore(from: Float64Array, at: number, nowMs: number): number {
    const before = this.#previous.restore(from, at, nowMs);
    const next = this.#beforePrevious.restore(from, before, nowMs);
    this.#isBeep = from[next] === 1 && this.#previous.sound !== SOUND.none;
    this.#cadence = CALL_TONE_KINDS[from[next + 1]! - 1];
    this.#cadenceEndMs = pastOrBefore(from[next + 2]!, nowMs);
    this.#cngEndMs = pastOrBefore(from[next + 3]!, nowMs);
    this.#dialEndMs = pastOrBefore(from[next + 4]!, nowMs);
    return next + 5;
  }

  #cadenced(segment: ToneSegment): void {
    const before = this.#previous;
    const kind = cadenceOf(before, segment);
    const isSame = segment.startMs - this.#cadenceEndMs < SAME_CADENCE_MS;
    if (kind !== undefined && !(isSame && kind === this.#cadence)) {
      const confidence = Math.min(confidenceOf(before), confidenceOf(segment));
      segment.acrossGap ||= before.acrossGap;
      this.#tell(kind, before.startMs, segment.endMs, confidence, segment);
      this.#cadence = kind;
    }
    if (kind !== undefined || isSame) this.#cadenceEndMs = segment.endMs;
  }

  #single(segment: ToneSegment): void {
    const { startMs, endMs } = segment;
    if (segment.isSingle(CNG.lowHz, CNG.highHz) && segment.lasted(CNG.leastMs, CNG.mostMs)) {
      const isSame = startMs - this.#cngEndMs < CNG_AGAIN_MS;
      this.#cngEndMs = endMs;
      if (!isSame) this.#tell('faxCng', startMs, endMs, ONCE * confidenceOf(segment), segment);
    } else if (segment.isSingle(CED.lowHz, CED.highHz) && segment.durationMs >= CED.leastMs) {
      this.#tell('faxCed', startMs, endMs, confidenceOf(segment), segment);
    } else if (this.#isSit(segment)) {
      const { startMs: firstMs } = this.#beforePrevious;
      this.#tell('sit', firstMs, endMs, confidenceOf(segment), segment);
    } else {
      this.#isBeep = this.#mayBeBeep(segment);
    }
  }

  #mayBeBeep(segment: ToneSegment): boolean {
    return (
      segment.isSingle(BEEP.lowHz, BEEP.highHz) &&
      segment.lasted(BEEP.leastMs, BEEP.mostMs) &&
      segment.share >= (segment.isNearGap ? BEEP.leastShareAtGaps : BEEP.leastShare) &&
      segment.isCleanStart &&
      segment.isCleanEnd &&
      segment.startMs - this.#previous.endMs >= MELODY_MS
    );
  }

  #isSit(third: ToneSegment): boolean {
    const second = this.#previous;
    const first = this.#beforePrevious;
    return (
      isSitTone(first, 0) &&
      isSitTone(second, 1) &&
      isSitTone(third, 2) &&
      isSitPause(first, second) &&
      isSitPause(second, third)
    );
  }
}

function isSitTone(segment: ToneSegment, place: 0 | 1 | 2): boolean {
  const { lowHz, highHz } = SIT[place];
  const { leastMs, mostMs } = segment.isNearGap ? SIT_AT_GAPS : SIT_TONE;
  return segment.isSingle(lowHz, highHz) && segment.lasted(leastMs, mostMs);
}

function isSitPause(before: ToneSegment, after: ToneSegment): boolean {
  const isNearGap = before.isNearGap || after.isNearGap;
  const pauseMs = Math.abs(after.startMs - before.endMs);
  return pauseMs <= (isNearGap ? SIT_AT_GAPS.pauseMs : SIT_PAUSE_MS);
}

function isDial(segment: ToneSegment): boolean {
  return segment.sound === SOUND.dialPair || segment.isSingle(EXCHANGE_LOW_HZ, EXCHANGE_HIGH_HZ);
}

/** 1 for a tone without anything else in the sound; 0 where it would not be heard. */
function confidenceOf({ share }: ToneSegment): number {
  return Math.max(0, Math.min(1, (share - 0.75) / 0.24));
}

function orNaN(timeMs: number): number {
  return Number.isFinite(timeMs) ? timeMs : Number.NaN;
}

function pastOrBefore(timeMs: number, nowMs: number): number {
  return isPast(timeMs, nowMs) ? timeMs : Number.NEGATIVE_INFINITY;
}
