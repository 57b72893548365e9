import { RECOGNIZER_SAMPLE_RATE_HZ } from './recognizer.js';
import { UtteranceAudio } from './utterance-audio.js';

/** One utterance on its way through a recognizer. */
export class Turn {
  readonly audio: UtteranceAudio;
  /** All of its sound is there. */
  isEnded = false;
  /** Resolves when its results were given, or never will be. */
  readonly done: Promise<void>;
  settle!: () => void;

  constructor(audio: UtteranceAudio) {
    this.audio = audio;
    this.done = new Promise((resolve) => {
      this.settle = resolve;
    });
  }
}

const SAMPLES_PER_MS = RECOGNIZER_SAMPLE_RATE_HZ / 1000;

/** Utterances that may wait for results. */
const MAX_TURNS = 64;

/**
 * The utterances of a session in order: those that wait for results, and the one that is spoken.
 * Bounded: sound that does not fit is refused.
 */
export class TurnQueue {
  readonly #maxMs: number;
  readonly #silenceMs: number;
  readonly #turns: Turn[] = [];
  #nextMs: number;

  /**
   * @param startMs media time of the first sample.
   * @param maxMs most sound of all utterances.
   * @param silenceMs of each gap, how much is filled with silence.
   */
  constructor(startMs: number, maxMs: number, silenceMs: number) {
    this.#nextMs = startMs;
    this.#maxMs = maxMs;
    this.#silenceMs = silenceMs;
  }

  /** The one at work. */
  get first(): Turn | undefined {
    return this.#turns[0];
  }

  get turns(): readonly Turn[] {
    return this.#turns;
  }

  /** False: it is more than can be kept. */
  push(pcm: Int16Array): boolean {
    if (pcm.length === 0) return true;
    const isFull = this.#open === undefined && this.#turns.length >= MAX_TURNS;
    if (isFull || this.#samples + pcm.length > this.#maxMs * SAMPLES_PER_MS) return false;
    return this.#spoken().audio.append(pcm);
  }

  gap(durationMs: number): boolean {
    if (this.#open === undefined) {
      this.#nextMs += durationMs;
      return true;
    }
    return this.#open.audio.gap(durationMs, this.#silenceMs);
  }

  /** Ends the utterance that is spoken; resolves when all of them are settled. */
  end(): Promise<void> {
    const open = this.#open;
    if (open !== undefined) {
      open.isEnded = true;
      this.#nextMs = open.audio.endMs;
    }
    const last = this.#turns.at(-1);
    return last === undefined ? Promise.resolve() : last.done;
  }

  /** Forgets the utterance that is spoken, and returns it. */
  restart(mediaTimeMs: number): Turn | undefined {
    this.#nextMs = mediaTimeMs;
    const open = this.#open;
    if (open !== undefined) this.#remove(open);
    return open;
  }

  /** The first one has its results. */
  shift(): void {
    this.#turns.shift()?.settle();
  }

  clear(): void {
    for (const turn of this.#turns.splice(0)) turn.settle();
  }

  get #samples(): number {
    let samples = 0;
    for (const { audio } of this.#turns) samples += audio.length;
    return samples;
  }

  get #open(): Turn | undefined {
    const last = this.#turns.at(-1);
    return last?.isEnded === false ? last : undefined;
  }

  #spoken(): Turn {
    const open = this.#open;
    if (open !== undefined) return open;
    const turn = new Turn(new UtteranceAudio(this.#nextMs, this.#maxMs));
    this.#turns.push(turn);
    return turn;
  }

  #remove(turn: Turn): void {
    this.#turns.splice(this.#turns.indexOf(turn), 1);
    turn.settle();
  }
}
