import { isPast } from './kept-time.js';
import { SILENCE_DBFS } from './level.js';
import { NoiseFloor } from './noise-floor.js';
import type { SpeechTransition } from './speech-activity.js';

/** Numbers that `ConfirmedSpeech.save` writes. */
export const CONFIRMED_SPEECH_STATE_NUMBERS = 9;

/** What `ConfirmedSpeech.hear` says of a frame. */
export const ADMIT = {
  /** The model need not hear it: it is no speech. */
  closed: 0,
  /** The first of a stretch that the model is to hear: it begins anew. */
  opened: 1,
  /** The model is to hear it after the one before. */
  open: 2,
} as const;

/** One of the values of `ADMIT`. */
export type Admit = (typeof ADMIT)[keyof typeof ADMIT];

/** A talkspurt starts at this probability … */
const START = 0.5;

/** … and goes on, and its beginning reaches back, at this. */
const GO_ON = 0.35;

/** How long a sound must be likely before it is speech: more than one window of the model. */
const ONSET_MS = 40;

/** The model is late by so much: a likely stretch began before, where it was loud already. */
const REACH_BACK_MS = 120;

/** Pauses shorter than this do not end a talkspurt. More than the reach back: no two overlap. */
const HANGOVER_MS = 300;

/** Nothing quieter is speech, however quiet the room. */
const MIN_LEVEL_DBFS = -58;

/** A frame that rises above the room by this much was loud already as speech began. */
const LOUD_DB = 6;

/** Below this probability a sound is the room's … */
const UNLIKELY = 0.15;

/** … and after so long of it the model rests, until … */
const REST_AFTER_MS = 1600;

/** … a frame rises above the room by this much. */
const WAKE_DB = 3;

/** The gate closes after so long without a frame that could be speech. */
const CLOSE_AFTER_MS = 240;

/**
 * Speech activity in two stages. The first, `hear`, is free: level, the noise floor, what the codec's
 * encoder thought, and what the model thought lately. Only what passes it is worth the second, a model's
 * probability, of which `confirm` makes talkspurts: hysteresis, onset, hangover, and a beginning that reaches
 * back to where the sound rose. A pure step function on media time; one object is allocated per
 * transition and none per frame.
 */
export class ConfirmedSpeech {
  readonly #floor: NoiseFloor = new NoiseFloor();
  /** What `hear` was given. */
  #givenMs = Number.NaN;
  #givenDurationMs = 0;
  #givenLevelDbfs = Number.NaN;
  /** How far it rises above the room. */
  #givenRiseDb = Number.NaN;
  #givenTone = false;
  #probability = Number.NaN;
  #speaking = false;
  #startMs = 0;
  /** End of the last active frame of the talkspurt. */
  #activeEndMs = 0;
  /** Since when the sound is more than the room; NaN while it is not. */
  #riseMs = Number.NaN;
  /** Since when the model finds speech likely; NaN while it does not. */
  #likelyMs = Number.NaN;
  #isOpen = false;
  /** How long no frame could be speech, and how long the model found none likely. */
  #idleMs = 0;
  #unlikelyMs = 0;

  /** True from the transition that started a talkspurt until the one that ends it. */
  get speaking(): boolean {
    return this.#speaking;
  }

  /** Start of the talkspurt that goes on, or of the last one. */
  get startMs(): number {
    return this.#startMs;
  }

  /** Whether the model hears the sound. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Stage 1: takes the next frame; `confirm` is to follow.
   *
   * @param mediaTimeMs where it begins; it should begin where the one before ended
   * @param levelDbfs its level, as of `rmsDbfs`
   * @param tone true while a tone is, or may be, sounding: that is never speech
   * @param voiced false when the encoder says that there is no voice in it
   * @returns whether the model should hear it
   */
  hear(
    mediaTimeMs: number,
    durationMs: number,
    levelDbfs: number,
    tone: boolean,
    voiced: boolean,
  ): Admit {
    // Handed on in fields: small enough to be inlined, so that V8 need not box the numbers.
    this.#givenMs = mediaTimeMs;
    this.#givenDurationMs = durationMs;
    this.#givenLevelDbfs = levelDbfs;
    this.#givenRiseDb = levelDbfs - this.#floor.levelDbfs;
    this.#givenTone = tone;
    return this.#admit(voiced);
  }

  /** Takes a stretch of silence, which may be long. */
  pass(mediaTimeMs: number, durationMs: number): SpeechTransition | undefined {
    this.#givenMs = mediaTimeMs;
    this.#givenDurationMs = durationMs;
    this.#givenLevelDbfs = SILENCE_DBFS;
    this.#givenRiseDb = 0;
    this.#givenTone = false;
    return this.confirm(Number.NaN);
  }

  /**
   * Stage 2: what the frame is.
   *
   * @param probability the model's newest; NaN when it does not hear the frame
   * @returns the transition that the frame brings about, if any, with the time at which it was.
   */
  confirm(probability: number): SpeechTransition | undefined {
    this.#probability = probability;
    return this.#confirm();
  }

  #confirm(): SpeechTransition | undefined {
    const probability = this.#probability;
    const mediaTimeMs = this.#givenMs;
    const endMs = mediaTimeMs + this.#givenDurationMs;
    if (Number.isNaN(probability)) this.#close();
    if (this.#givenTone) {
      this.#forget();
      return this.#pause();
    }
    const isLikely = probability >= GO_ON && this.#givenLevelDbfs > MIN_LEVEL_DBFS;
    this.#followRoom(isLikely || probability >= UNLIKELY);
    if (!isLikely) {
      this.#likelyMs = Number.NaN;
      return this.#pause();
    }
    if (Number.isNaN(this.#likelyMs)) this.#likelyMs = mediaTimeMs;
    if (this.#speaking) {
      if (mediaTimeMs - this.#activeEndMs >= HANGOVER_MS) return this.#pause();
      this.#activeEndMs = endMs;
      return undefined;
    }
    if (probability < START || endMs - this.#likelyMs < ONSET_MS) return undefined;
    this.#activeEndMs = endMs;
    return this.#start();
  }

  /**
   * Time passed without frames (the source was silent), or the stream ended: an open talkspurt
   * ends where it was last heard. What was learned about the room is kept.
   *
   * @param mediaTimeMs where the sound goes on
   */
  discontinuity(mediaTimeMs: number): SpeechTransition | undefined {
    this.#forget();
    this.#close();
    return this.#speaking ? this.#end(Math.min(this.#activeEndMs, mediaTimeMs)) : undefined;
  }

  /**
   * Writes all that it knows from `out[at]` on, `CONFIRMED_SPEECH_STATE_NUMBERS` of them, NaN for what
   * is not there; returns where the next may follow. The first three are as `SpeechActivity` has them.
   */
  save(out: Float64Array, at: number): number {
    out[at] = this.#speaking ? 1 : 0;
    out[at + 1] = this.#startMs;
    out[at + 2] = this.#activeEndMs;
    out[at + 3] = this.#isOpen ? 1 : 0;
    out[at + 4] = this.#riseMs;
    out[at + 5] = this.#likelyMs;
    out[at + 6] = this.#idleMs;
    out[at + 7] = this.#unlikelyMs;
    return this.#floor.save(out, at + 8);
  }

  /**
   * Reads back what `save` wrote: goes on as that detector would have. Of times and durations that
   * can't be true nothing is believed: it is as new then.
   *
   * @param nowMs end of what was heard when it was written; NaN when nothing was
   */
  restore(from: Float64Array, at: number, nowMs: number): number {
    const isTime = (n: number): boolean => isPast(from[at + n]!, nowMs);
    const isNone = (n: number): boolean => Number.isNaN(from[at + n]!);
    const isWithin = (n: number, mostMs: number): boolean =>
      isNone(n) || (from[at + n]! >= 0 && from[at + n]! <= mostMs);
    const isSpeaking = from[at] === 1;
    const isTrue =
      (!isSpeaking || (isTime(1) && isTime(2) && from[at + 1]! <= from[at + 2]!)) &&
      (isNone(4) || isTime(4)) &&
      (isNone(5) || isTime(5)) &&
      isWithin(6, CLOSE_AFTER_MS) &&
      isWithin(7, REST_AFTER_MS);
    if (!isTrue) return at + CONFIRMED_SPEECH_STATE_NUMBERS;
    this.#speaking = isSpeaking;
    this.#startMs = from[at + 1]!;
    this.#activeEndMs = from[at + 2]!;
    this.#isOpen = from[at + 3] === 1;
    this.#riseMs = from[at + 4]!;
    this.#likelyMs = from[at + 5]!;
    this.#idleMs = from[at + 6]! || 0;
    this.#unlikelyMs = from[at + 7]! || 0;
    return this.#floor.restore(from, at + 8);
  }

  #admit(voiced: boolean): Admit {
    if (this.#mayBeSpeech(voiced)) {
      this.#idleMs = 0;
      if (this.#isOpen) return ADMIT.open;
      this.#isOpen = true;
      return ADMIT.opened;
    }
    if (!this.#isOpen) return ADMIT.closed;
    this.#idleMs += this.#givenDurationMs;
    if (this.#idleMs < CLOSE_AFTER_MS) return ADMIT.open;
    this.#close();
    return ADMIT.closed;
  }

  #mayBeSpeech(voiced: boolean): boolean {
    if (this.#givenLevelDbfs <= MIN_LEVEL_DBFS) return false;
    if (this.#speaking || !Number.isNaN(this.#likelyMs)) return true;
    if (!voiced) return false;
    return this.#unlikelyMs < REST_AFTER_MS || this.#givenRiseDb > WAKE_DB;
  }

  /** The floor is the level of what the model does not take for speech. */
  #followRoom(mayBeSpeech: boolean): void {
    const isLoud = this.#givenLevelDbfs > MIN_LEVEL_DBFS && this.#givenRiseDb > LOUD_DB;
    if (!isLoud) this.#riseMs = Number.NaN;
    else if (Number.isNaN(this.#riseMs)) this.#riseMs = this.#givenMs;
    if (mayBeSpeech) {
      this.#unlikelyMs = 0;
      return;
    }
    this.#floor.follow(this.#givenLevelDbfs, this.#givenDurationMs);
    if (!this.#isOpen) return;
    this.#unlikelyMs = Math.min(REST_AFTER_MS, this.#unlikelyMs + this.#givenDurationMs);
  }

  #close(): void {
    this.#isOpen = false;
    this.#idleMs = 0;
    this.#likelyMs = Number.NaN;
  }

  /** What sounded so far does not go on. */
  #forget(): void {
    this.#riseMs = Number.NaN;
    this.#likelyMs = Number.NaN;
  }

  #pause(): SpeechTransition | undefined {
    const endMs = this.#givenMs + this.#givenDurationMs;
    const over = this.#speaking && endMs - this.#activeEndMs >= HANGOVER_MS;
    return over ? this.#end(this.#activeEndMs) : undefined;
  }

  #start(): SpeechTransition {
    this.#speaking = true;
    const earliestMs = this.#likelyMs - REACH_BACK_MS;
    this.#startMs = Number.isNaN(this.#riseMs)
      ? this.#likelyMs
      : Math.min(this.#likelyMs, Math.max(this.#riseMs, earliestMs));
    return { kind: 'started', startMs: this.#startMs };
  }

  #end(endMs: number): SpeechTransition {
    this.#speaking = false;
    this.#likelyMs = Number.NaN;
    return { kind: 'ended', startMs: this.#startMs, endMs: Math.max(this.#startMs, endMs) };
  }
}
