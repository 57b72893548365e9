import { isPast } from '@earshot/audio';
import type { Sound } from './tone-sound.js';
import { SOUND, soundFrom } from './tone-sound.js';

/** A tone may waver by so much: of its frequency, and at least. */
const WAVER = 0.006;
const LEAST_WAVER_HZ = 4;

/** Numbers that `ToneSegment.save` writes. */
export const SEGMENT_NUMBERS = 11;

/** A stretch of one steady tone, or of one pair of tones. Reused. */
export class ToneSegment {
  sound: Sound = SOUND.none;
  startMs = 0;
  /** While it is open, end of the last window in which it was heard. */
  endMs = 0;
  /** It began, or ended, as a tone does that is switched. */
  isCleanStart = false;
  isCleanEnd = false;
  acrossGap = false;
  /** A gap was so near that its sound may be distorted. */
  isNearGap = false;
  /** It was told as what it is, or belongs to what was told. */
  isTold = false;
  #windows = 0;
  #hz = 0;
  #share = 0;
  #power = 0;

  get durationMs(): number {
    return this.endMs - this.startMs;
  }

  /** Mean frequency of the stronger tone. */
  get hz(): number {
    return this.#hz / this.#windows;
  }

  /** Mean share of all power. */
  get share(): number {
    return this.#share / this.#windows;
  }

  /** Mean square. */
  get power(): number {
    return this.#power / this.#windows;
  }

  get levelDbfs(): number {
    return 10 * Math.log10(this.power);
  }

  begin(sound: Sound, startMs: number, isCleanStart: boolean): void {
    this.sound = sound;
    this.startMs = startMs;
    this.isCleanStart = isCleanStart;
    this.isCleanEnd = false;
    this.acrossGap = false;
    this.isNearGap = false;
    this.isTold = false;
    this.#windows = 0;
    this.#hz = 0;
    this.#share = 0;
    this.#power = 0;
  }

  heard(hz: number, share: number, power: number, endMs: number): void {
    this.#windows += 1;
    this.#hz += hz;
    this.#share += share;
    this.#power += power;
    this.endMs = endMs;
  }

  isOf(sound: Sound, hz: number): boolean {
    if (sound !== this.sound) return false;
    return sound !== SOUND.single || Math.abs(hz - this.hz) <= Math.max(LEAST_WAVER_HZ, WAVER * hz);
  }

  /** A single tone of these frequencies. */
  isSingle(lowHz: number, highHz: number): boolean {
    return this.sound === SOUND.single && this.hz >= lowHz && this.hz <= highHz;
  }

  lasted(leastMs: number, mostMs: number): boolean {
    return this.durationMs >= leastMs && this.durationMs <= mostMs;
  }

  copyFrom(other: ToneSegment): void {
    this.sound = other.sound;
    this.startMs = other.startMs;
    this.endMs = other.endMs;
    this.isCleanStart = other.isCleanStart;
    this.isCleanEnd = other.isCleanEnd;
    this.acrossGap = other.acrossGap;
    this.isNearGap = other.isNearGap;
    this.isTold = other.isTold;
    this.#windows = other.#windows;
    this.#hz = other.#hz;
    this.#share = other.#share;
    this.#power = other.#power;
  }

  /** No tone. */
  clear(): void {
    this.begin(SOUND.none, Number.NEGATIVE_INFINITY, false);
    this.endMs = Number.NEGATIVE_INFINITY;
  }

  /** Writes its numbers from `out[at]` on, zeros when it is none; returns where the next may follow. */
  save(out: Float64Array, at: number): number {
    if (this.sound === SOUND.none) {
      out.fill(0, at, at + SEGMENT_NUMBERS);
      return at + SEGMENT_NUMBERS;
    }
    out[at] = this.sound;
    out[at + 1] = this.startMs;
    out[at + 2] = this.endMs;
    out[at + 3] = this.isCleanStart ? 1 : 0;
    out[at + 4] = this.isCleanEnd ? 1 : 0;
    out[at + 5] = (this.acrossGap ? 1 : 0) + (this.isNearGap ? 2 : 0);
    out[at + 6] = this.isTold ? 1 : 0;
    out[at + 7] = this.#windows;
    out[at + 8] = this.#hz;
    out[at + 9] = this.#share;
    out[at + 10] = this.#power;
    return at + SEGMENT_NUMBERS;
  }

  /**
   * Reads back what `save` wrote; anything else, and what can't have been heard, is no tone.
   *
   * @param nowMs end of what was heard when it was written
   */
  restore(from: Float64Array, at: number, nowMs: number): number {
    this.clear();
    const next = at + SEGMENT_NUMBERS;
    const sound = soundFrom(from[at]!);
    if (sound === SOUND.none || !(from[at + 7]! > 0) || hasNaN(from, at, next)) return next;
    if (!isPast(from[at + 1]!, nowMs) || !isPast(from[at + 2]!, nowMs)) return next;
    if (from[at + 1]! > from[at + 2]! || from[at + 10]! < 0) return next;
    this.begin(sound, from[at + 1]!, from[at + 3] === 1);
    this.endMs = from[at + 2]!;
    this.isCleanEnd = from[at + 4] === 1;
    this.acrossGap = from[at + 5] === 1 || from[at + 5] === 3;
    this.isNearGap = from[at + 5] === 2 || from[at + 5] === 3;
    this.isTold = from[at + 6] === 1;
    this.#windows = from[at + 7]!;
    this.#hz = from[at + 8]!;
    this.#share = from[at + 9]!;
    this.#power = from[at + 10]!;
    return next;
  }
}

function hasNaN(numbers: Float64Array, from: number, end: number): boolean {
  for (let i = from; i < end; i += 1) if (Number.isNaN(numbers[i]!)) return true;
  return false;
}
