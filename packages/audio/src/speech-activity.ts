import { isPast } from './kept-time.js';
import { NoiseFloor } from './noise-floor.js';
import { SpeechOnset } from './speech-onset.js';
import { SteadySound } from './steady-sound.js';

export interface SpeechActivityOptions {
  /** Shortest unbroken loudness that is speech; shorter is a click. 60 by default. */
  readonly onsetMs?: number;
  /** Pauses shorter than this do not end a talkspurt. 300 by default. */
  readonly hangoverMs?: number;
  /** How far above the noise floor speech must rise. 9 by default. */
  readonly minSnrDb?: number;
  /** Nothing quieter starts a talkspurt, however quiet the room. −52 by default. */
  readonly minLevelDbfs?: number;
}

/** A talkspurt began or ended; times are on the media clock, in milliseconds. */
export type SpeechTransition =
  | { readonly kind: 'started'; readonly startMs: number }
  | { readonly kind: 'ended'; readonly startMs: number; readonly endMs: number };

/** Numbers that `SpeechActivity.save` writes. */
export const SPEECH_STATE_NUMBERS = 19;

/** Of them, the times of the onset, and where what sounds steadily began, its length being the next. */
const ONSET_TIMES_AT = [4, 5, 6] as const;
const STEADY_AT = [9, 14] as const;

/** A talkspurt goes on, and its beginning reaches back, at this much less than it takes to start. */
const HYSTERESIS_DB = 6;

/** A sound whose level keeps within this range … */
const STEADY_RANGE_DB = 6;

/** … for so long is noise: no voice holds its level that well. */
const STEADY_MS = 800;

/** The same for noise that rumbles: a wider range, which no voice keeps within for so long. */
const RUMBLE_RANGE_DB = 12;
const RUMBLE_MS = 2500;

/**
 * Speech activity from frame levels alone: an adaptive noise floor, an onset that clicks do not
 * pass, a hangover that bridges short pauses, and a sense for steadiness, so that a fan, a hum
 * or a ringing tone does not become speech. A pure step function on media time; one object is
 * allocated per transition and none per frame.
 */
export class SpeechActivity {
  readonly #hangoverMs: number;
  readonly #minSnrDb: number;
  readonly #minLevelDbfs: number;
  readonly #floor: NoiseFloor = new NoiseFloor();
  readonly #onset: SpeechOnset;
  readonly #steady: SteadySound = new SteadySound(STEADY_RANGE_DB, STEADY_MS);
  readonly #rumble: SteadySound = new SteadySound(RUMBLE_RANGE_DB, RUMBLE_MS);
  /** The stretch that `step` was given. */
  #givenMs = Number.NaN;
  #givenDurationMs = 0;
  #givenLevelDbfs = Number.NaN;
  #speaking = false;
  #startMs = 0;
  /** End of the last active frame of the talkspurt. */
  #activeEndMs = 0;

  /** @throws RangeError when an option is not a number or a duration is negative */
  constructor(options: SpeechActivityOptions = {}) {
    this.#onset = new SpeechOnset(durationOf('onsetMs', options.onsetMs ?? 60), STEADY_RANGE_DB);
    this.#hangoverMs = durationOf('hangoverMs', options.hangoverMs ?? 300);
    this.#minSnrDb = finite('minSnrDb', options.minSnrDb ?? 9);
    this.#minLevelDbfs = finite('minLevelDbfs', options.minLevelDbfs ?? -52);
  }

  /** True from the transition that started a talkspurt until the one that ends it. */
  get speaking(): boolean {
    return this.#speaking;
  }

  /**
   * Takes the next stretch of sound.
   *
   * @param mediaTimeMs where it begins; it should begin where the one before ended
   * @param durationMs normally 20; a stretch of silence may be longer
   * @param levelDbfs its level, as of `rmsDbfs`
   * @param tone true while a tone is, or may be, sounding: that is never speech
   * @returns the transition that this stretch brings about, if any. A start is reported once the
   * onset has passed, an end once the hangover has, each with the time at which it was.
   */
  step(
    mediaTimeMs: number,
    durationMs: number,
    levelDbfs: number,
    tone: boolean,
  ): SpeechTransition | undefined {
    // Handed on in fields: small enough to be inlined, so that V8 need not box the numbers.
    this.#givenMs = mediaTimeMs;
    this.#givenDurationMs = durationMs;
    this.#givenLevelDbfs = levelDbfs;
    return this.#step(tone);
  }

  #step(tone: boolean): SpeechTransition | undefined {
    const mediaTimeMs = this.#givenMs;
    const durationMs = this.#givenDurationMs;
    const levelDbfs = this.#givenLevelDbfs;
    const endMs = mediaTimeMs + durationMs;
    if (tone) {
      this.#forget();
      return this.#pause(endMs);
    }
    const steady = this.#steady.step(mediaTimeMs, durationMs, levelDbfs);
    const rumble = this.#rumble.step(mediaTimeMs, durationMs, levelDbfs);
    if (steady || rumble) return this.#noise(steady ? this.#steady : this.#rumble);
    const lowDbfs = this.#lowDbfs();
    if (this.#speaking) {
      if (levelDbfs > lowDbfs && mediaTimeMs - this.#activeEndMs < this.#hangoverMs) {
        this.#activeEndMs = endMs;
        return undefined;
      }
      this.#floor.follow(levelDbfs, durationMs);
      return this.#pause(endMs);
    }
    const highDbfs = this.#highDbfs();
    if (levelDbfs <= highDbfs) this.#floor.follow(levelDbfs, durationMs);
    const startMs = this.#onset.step(mediaTimeMs, durationMs, levelDbfs, lowDbfs, highDbfs);
    if (startMs === undefined) return undefined;
    this.#activeEndMs = levelDbfs > lowDbfs ? endMs : mediaTimeMs;
    return this.#start(startMs);
  }

  /**
   * Time passed without frames (the source was silent), or the stream ended: an open talkspurt
   * ends where it was last heard. What was learned about the room is kept.
   *
   * @param mediaTimeMs where the sound goes on
   */
  discontinuity(mediaTimeMs: number): SpeechTransition | undefined {
    this.#forget();
    return this.#speaking ? this.#end(Math.min(this.#activeEndMs, mediaTimeMs)) : undefined;
  }

  /** Start of the talkspurt that goes on, or of the last one. */
  get startMs(): number {
    return this.#startMs;
  }

  /**
   * Writes all that it knows from `out[at]` on, `SPEECH_STATE_NUMBERS` of them, NaN for what is not
   * there; returns where the next may follow.
   */
  save(out: Float64Array, at: number): number {
    out[at] = this.#speaking ? 1 : 0;
    out[at + 1] = this.#startMs;
    out[at + 2] = this.#activeEndMs;
    let next = this.#floor.save(out, at + 3);
    next = this.#onset.save(out, next);
    next = this.#steady.save(out, next);
    return this.#rumble.save(out, next);
  }

  /**
   * Reads back what `save` wrote: goes on as that detector would have. Of times that can't be true
   * nothing is believed: it is as new then.
   *
   * @param nowMs end of what was heard when it was written; NaN when nothing was
   */
  restore(from: Float64Array, at: number, nowMs: number): number {
    const isTime = (n: number): boolean => isPast(from[at + n]!, nowMs);
    const isSpeaking = from[at] === 1;
    const isTrue =
      (!isSpeaking || (isTime(1) && isTime(2) && from[at + 1]! <= from[at + 2]!)) &&
      ONSET_TIMES_AT.every((n) => Number.isNaN(from[at + n]!) || isTime(n)) &&
      STEADY_AT.every((n) => !(from[at + n + 1]! > 0) || isTime(n));
    if (!isTrue) return at + SPEECH_STATE_NUMBERS;
    this.#speaking = isSpeaking;
    this.#startMs = from[at + 1]!;
    this.#activeEndMs = from[at + 2]!;
    let next = this.#floor.restore(from, at + 3);
    next = this.#onset.restore(from, next);
    next = this.#steady.restore(from, next);
    return this.#rumble.restore(from, next);
  }

  #lowDbfs(): number {
    const aboveRoomDbfs = this.#floor.levelDbfs + this.#minSnrDb / 2;
    return Math.max(this.#minLevelDbfs - HYSTERESIS_DB, aboveRoomDbfs);
  }

  #highDbfs(): number {
    return Math.max(this.#minLevelDbfs, this.#floor.levelDbfs + this.#minSnrDb);
  }

  /** What sounds has been steady for long: it is the room, and was since it became steady. */
  #noise(sound: SteadySound): SpeechTransition | undefined {
    this.#floor.set(sound.levelDbfs);
    this.#onset.reset();
    return this.#speaking ? this.#end(Math.min(this.#activeEndMs, sound.startMs)) : undefined;
  }

  /** What sounded so far does not go on. */
  #forget(): void {
    this.#onset.reset();
    this.#steady.reset();
    this.#rumble.reset();
  }

  #pause(endMs: number): SpeechTransition | undefined {
    const over = this.#speaking && endMs - this.#activeEndMs >= this.#hangoverMs;
    return over ? this.#end(this.#activeEndMs) : undefined;
  }

  #start(startMs: number): SpeechTransition {
    this.#speaking = true;
    this.#startMs = startMs;
    return { kind: 'started', startMs };
  }

  #end(endMs: number): SpeechTransition {
    this.#speaking = false;
    this.#onset.reset();
    return { kind: 'ended', startMs: this.#startMs, endMs: Math.max(this.#startMs, endMs) };
  }
}

function durationOf(name: string, value: number): number {
  if (value >= 0 && Number.isFinite(value)) return value;
  throw new RangeError(
    `Cannot create a speech detector: ${name} must be a number from 0, got ${value}`,
  );
}

function finite(name: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new RangeError(`Cannot create a speech detector: ${name} must be a number, got ${value}`);
}
