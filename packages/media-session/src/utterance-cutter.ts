import { PTIME_MS } from '@earshot/audio';
import type { CloseMode } from './frame-ring.js';
import { CLOSE_MODE } from './frame-ring.js';
import type { PcmRecord } from './pcm-ring.js';
import { PCM_RECORD } from './pcm-ring.js';

/** How long before speech an utterance begins: the softest beginning of a word is no speech yet. */
export const PRE_ROLL_MS = 300;

/** Sound kept while nobody speaks: pre-roll, and what it takes until speech is sure. */
const KEPT_RECORDS = 64;

/** How far back an utterance may reach from where the reader is. */
export const MAX_LOOK_BACK_MS: number = KEPT_RECORDS * PTIME_MS;

/** A source that is silent for longer within an utterance is not waited for in full. */
const MAX_SILENCE_MS = 1000;

/** Nothing that others tell of reaches further: hosts keep 30 s, and utterances are shorter than this. */
const MOST_TOLD_MS = 120_000;

/** Media time may jitter by so much; a pipeline ends speech where it steps back by more. */
const JITTER_MS = 10;

const FRAME_SAMPLES = 320;

export interface UtteranceCutterOptions {
  /** A pause that is shorter joins two talkspurts. */
  readonly endpointMs: number;
  /** What is longer is cut. */
  readonly maxUtteranceMs: number;
}

/** What names an utterance; media time, ms. */
export interface UtteranceStart {
  /** Where speech begins. */
  readonly startMs: number;
  /** 1, or the how manieth piece of one that was too long. */
  readonly piece: number;
  /** Where its sound begins. */
  readonly soundFromMs: number;
}

/** Where a run that begins within an utterance that is told of goes on; media time, ms. Plain data. */
export interface UtteranceResume {
  /** All before it is told of, or being told of, by others. */
  readonly untilMs: number;
  /** What begins there: the next piece of one that was too long. Null for nothing. */
  readonly next: Pick<UtteranceStart, 'startMs' | 'piece'> | null;
}

/** Takes utterances, in order; sound is borrowed for the call. */
export interface UtteranceSink {
  began(utterance: UtteranceStart): void;
  /** The next 20 ms; silence is zeros. */
  sound(pcm: Int16Array): void;
  /** Sound that is not there. */
  lost(startMs: number, durationMs: number): void;
  /**
   * @param isWhole false when the stream goes on elsewhere: it is heard there from its begin.
   * @param resume how others go on that begin within it
   */
  ended(endMs: number, isWhole: boolean, resume: UtteranceResume): void;
}

type Heard = Pick<PcmRecord, 'kind' | 'mediaTimeMs' | 'durationMs' | 'pcm'>;

const SILENCE = new Int16Array(FRAME_SAMPLES);

/**
 * Cuts what is heard in a stream into utterances: talkspurts that are joined across short pauses,
 * each from a little before its begin. Where media time steps back by more than 10 ms, an utterance
 * ends, and what was heard is forgotten. So none is given more than twice the longest of sound, whatever
 * the times are. Pure: the same records give the same utterances, wherever between them another run
 * takes over with what this one told of how to go on.
 */
export class UtteranceCutter {
  readonly #options: UtteranceCutterOptions;
  readonly #sink: UtteranceSink;
  /** The newest records, in a circle. */
  readonly #kept: readonly PcmCopy[] = Array.from({ length: KEPT_RECORDS }, () => new PcmCopy());
  #keptCount = 0;
  #open: UtteranceStart | undefined;
  /** End of the last talkspurt; undefined while somebody speaks. */
  #pauseFromMs: number | undefined;
  /** End of what was taken, and of what was given to an utterance. */
  #endMs = Number.NaN;
  #givenMs = Number.NEGATIVE_INFINITY;
  /** Frames of sound that were given to the utterance that is open. */
  #givenFrames = 0;
  readonly #isResumed: boolean;
  /** While what comes is told of by others. */
  #resume: UtteranceResume | undefined;

  /**
   * @param resume how to go on, where the first record lies within an utterance of others. One that would
   * go on more than two minutes later can't be, and is none.
   */
  constructor(options: UtteranceCutterOptions, sink: UtteranceSink, resume?: UtteranceResume) {
    this.#options = options;
    this.#sink = sink;
    this.#resume = resume;
    this.#isResumed = resume !== undefined;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** All before it belongs to utterances that ended, or to none; NaN before the first record. */
  get settledMs(): number {
    return this.#open?.soundFromMs ?? this.#endMs - MAX_LOOK_BACK_MS;
  }

  /** Takes the next record, borrowed for the call. */
  take(record: PcmRecord): void {
    if (this.#resume !== undefined && this.#isTold(record, this.#resume)) return;
    if (record.droppedBefore > 0) this.#catchUp(record);
    switch (record.kind) {
      case PCM_RECORD.speechStarted:
        this.#speechStarted(record.mediaTimeMs);
        return;
      case PCM_RECORD.speechEnded:
        this.#speechEnded(record.mediaTimeMs);
        return;
      case PCM_RECORD.closed:
        this.close(record.durationMs === CLOSE_MODE.end ? CLOSE_MODE.end : CLOSE_MODE.abandon);
        return;
      default:
        this.#heard(record);
    }
  }

  /** Ends what is open. */
  close(mode: CloseMode): void {
    const endMs = this.#pauseFromMs ?? this.#endMs;
    if (this.#open !== undefined) this.#end(endMs, mode === CLOSE_MODE.end);
  }

  /** Whether a record belongs to what others tell of. */
  #isTold(record: PcmRecord, resume: UtteranceResume): boolean {
    const { kind, mediaTimeMs, durationMs } = record;
    if (kind > PCM_RECORD.lost) {
      // It may end just there, and be told of late.
      if (kind === PCM_RECORD.speechEnded) this.#pauseFromMs = mediaTimeMs;
      if (kind === PCM_RECORD.speechStarted) this.#pauseFromMs = undefined;
      return true;
    }
    if (!(resume.untilMs - mediaTimeMs <= MOST_TOLD_MS)) {
      this.#resume = undefined;
      return false;
    }
    if (mediaTimeMs >= resume.untilMs) {
      this.#goOn(resume);
      return false;
    }
    this.#keep(record);
    if (mediaTimeMs + durationMs >= resume.untilMs) this.#goOn(resume);
    return true;
  }

  #goOn({ untilMs, next }: UtteranceResume): void {
    const pauseFromMs = this.#pauseFromMs;
    this.#resume = undefined;
    this.#pauseFromMs = undefined;
    this.#givenMs = untilMs;
    if (next === null) return;
    this.#begin(next.startMs, next.piece, untilMs);
    this.#pauseFromMs = pauseFromMs;
  }

  /** Records were dropped: what they said of speech is told by the next one. */
  #catchUp(record: PcmRecord): void {
    const isMark = record.kind > PCM_RECORD.lost;
    if (!isMark) this.#meetTime(record.mediaTimeMs);
    const fromMs = this.#endMs;
    if (!isMark && record.mediaTimeMs > fromMs) {
      this.#lost(fromMs, record.mediaTimeMs - fromMs);
    }
    const isSpeaking = !Number.isNaN(record.speechStartMs);
    if (record.kind === PCM_RECORD.speechStarted) return;
    if (isSpeaking) this.#speaksSince(record.speechStartMs, record.mediaTimeMs);
    else if (this.#open !== undefined && this.#pauseFromMs === undefined) this.#speechEnded(fromMs);
  }

  /** Somebody began to speak while nothing was taken: what is missing of it is lost. */
  #speaksSince(startMs: number, nowMs: number): void {
    this.#pauseFromMs = undefined;
    if (this.#open !== undefined) return;
    const soundFromMs = Math.min(startMs, nowMs);
    this.#open = { startMs, piece: 1, soundFromMs };
    this.#givenMs = nowMs;
    this.#givenFrames = 0;
    this.#sink.began(this.#open);
    this.#sink.lost(soundFromMs, nowMs - soundFromMs);
  }

  #speechStarted(startMs: number): void {
    this.#pauseFromMs = undefined;
    // Without any sound yet, the first that comes begins it.
    if (this.#open !== undefined || this.#keptCount === 0) return;
    // What was said before is told of by another: to name this as that would hide it.
    if (this.#beganBefore(startMs)) {
      this.#begin(this.#endMs, 1, this.#endMs);
      return;
    }
    // Where time leapt meanwhile, what is kept reaches further back.
    const oldestMs = this.#endMs - MAX_LOOK_BACK_MS;
    const fromMs = Math.max(startMs - PRE_ROLL_MS, this.#givenMs, oldestMs);
    this.#begin(startMs, 1, Math.min(fromMs, this.#endMs));
  }

  /** Whether speech began before all that is kept; where others stopped, they kept more. */
  #beganBefore(startMs: number): boolean {
    if (this.#isResumed && this.#keptCount < KEPT_RECORDS) return false;
    return startMs < this.#keptFromMs - PTIME_MS;
  }

  /** Begin of the oldest record kept. */
  get #keptFromMs(): number {
    return this.#keptAt(Math.max(0, this.#keptCount - KEPT_RECORDS)).mediaTimeMs;
  }

  #begin(startMs: number, piece: number, fromMs: number): void {
    let first = this.#keptCount;
    const oldest = Math.max(0, this.#keptCount - KEPT_RECORDS);
    while (first > oldest && this.#keptAt(first - 1).mediaTimeMs >= fromMs) first -= 1;
    const soundFromMs =
      first < this.#keptCount
        ? this.#keptAt(first).mediaTimeMs
        : Math.max(fromMs, this.#endOr(fromMs));
    this.#open = { startMs, piece, soundFromMs };
    this.#givenMs = soundFromMs;
    this.#givenFrames = 0;
    this.#sink.began(this.#open);
    for (let n = first; n < this.#keptCount; n += 1) this.#give(this.#keptAt(n));
  }

  #speechEnded(endMs: number): void {
    if (this.#open === undefined) return;
    this.#pauseFromMs = endMs;
    this.#endIfPaused();
  }

  #heard(record: PcmRecord): void {
    const { mediaTimeMs } = record;
    this.#meetTime(mediaTimeMs);
    this.#passOver(mediaTimeMs);
    if (this.#isUnawaited(record)) this.#begin(mediaTimeMs, 1, mediaTimeMs);
    this.#keep(record);
    if (this.#open === undefined) return;
    this.#give(record);
    this.#endIfPaused();
    if (this.#open !== undefined) this.#cutIfLong(this.#open);
  }

  #keep(record: PcmRecord): void {
    this.#keptAt(this.#keptCount).copy(record);
    this.#keptCount += 1;
    this.#endMs = record.mediaTimeMs + record.durationMs;
  }

  /** Somebody speaks on who was thought to have stopped, or to whom nobody listened before. */
  #isUnawaited({ kind, speechStartMs }: PcmRecord): boolean {
    const isSpeech = kind === PCM_RECORD.sound && !Number.isNaN(speechStartMs);
    return this.#open === undefined && isSpeech;
  }

  /** The clock was set back: nothing before goes on, and no pause of it would ever be long enough. */
  #meetTime(mediaTimeMs: number): void {
    if (!(mediaTimeMs < this.#endMs - JITTER_MS)) return;
    if (this.#open !== undefined) this.#end(this.#pauseFromMs ?? this.#endMs, true);
    this.#keptCount = 0;
    this.#endMs = mediaTimeMs;
    this.#givenMs = Number.NEGATIVE_INFINITY;
  }

  /** The source was silent between two records, which is a pause and no loss. */
  #passOver(mediaTimeMs: number): void {
    if (this.#open === undefined || !(mediaTimeMs > this.#endMs)) return;
    this.#endMs = mediaTimeMs;
    this.#endIfPaused();
  }

  #give({ kind, mediaTimeMs, durationMs, pcm }: Heard): void {
    this.#giveSilence(Math.min(mediaTimeMs - this.#givenMs, MAX_SILENCE_MS));
    this.#givenMs = mediaTimeMs + durationMs;
    if (kind === PCM_RECORD.sound) this.#sound(pcm);
    else if (kind === PCM_RECORD.silence) this.#giveSilence(durationMs);
    else this.#sink.lost(mediaTimeMs, durationMs);
  }

  #giveSilence(durationMs: number): void {
    for (let ms = PTIME_MS; ms <= durationMs; ms += PTIME_MS) this.#sound(SILENCE);
  }

  #sound(pcm: Int16Array): void {
    this.#givenFrames += 1;
    this.#sink.sound(pcm);
  }

  #lost(startMs: number, durationMs: number): void {
    this.#endMs = startMs + durationMs;
    if (this.#open === undefined) return;
    this.#givenMs = this.#endMs;
    this.#sink.lost(startMs, durationMs);
  }

  #endIfPaused(): void {
    const pauseFromMs = this.#pauseFromMs;
    if (pauseFromMs === undefined || this.#open === undefined) return;
    if (this.#endMs - pauseFromMs >= this.#options.endpointMs) this.#end(pauseFromMs, true);
  }

  #cutIfLong({ startMs, piece, soundFromMs }: UtteranceStart): void {
    const { maxUtteranceMs } = this.#options;
    // Times so large that a frame does not move them say nothing of how long it is.
    const isLong = this.#givenFrames * PTIME_MS >= 2 * maxUtteranceMs;
    if (!isLong && this.#endMs - soundFromMs < maxUtteranceMs) return;
    // In a pause nothing is left to be said.
    const next = this.#pauseFromMs === undefined ? { startMs, piece: piece + 1 } : null;
    this.#end(this.#pauseFromMs ?? this.#endMs, true, next);
    if (next !== null) this.#begin(next.startMs, next.piece, this.#endMs);
  }

  #end(endMs: number, isWhole: boolean, next: UtteranceResume['next'] = null): void {
    const untilMs = this.#endOr(endMs);
    this.#open = undefined;
    this.#pauseFromMs = undefined;
    this.#givenMs = untilMs;
    this.#sink.ended(endMs, isWhole, { untilMs, next });
  }

  #endOr(otherMs: number): number {
    return Number.isNaN(this.#endMs) ? otherMs : this.#endMs;
  }

  #keptAt(n: number): PcmCopy {
    return this.#kept[n % KEPT_RECORDS]!;
  }
}

class PcmCopy implements Heard {
  kind = 0;
  mediaTimeMs = 0;
  durationMs = 0;
  readonly pcm: Int16Array = new Int16Array(FRAME_SAMPLES);

  copy({ kind, mediaTimeMs, durationMs, pcm }: Heard): void {
    this.kind = kind;
    this.mediaTimeMs = mediaTimeMs;
    this.durationMs = durationMs;
    if (kind === PCM_RECORD.sound) this.pcm.set(pcm);
  }
}
