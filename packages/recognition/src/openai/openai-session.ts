import type { Clock } from '@earshot/async';
import { backoffDelayMs } from '@earshot/async';
import { wordsInMediaTime } from '../media-words.js';
import type {
  RecognizerResult,
  RecognizerSession,
  RecognizerSessionOptions,
} from '../recognizer.js';
import { RECOGNIZER_SAMPLE_RATE_HZ } from '../recognizer.js';
import type { Slots } from '../slots.js';
import type { Turn } from '../turn-queue.js';
import { TurnQueue } from '../turn-queue.js';
import type { VendorFault } from '../vendor-fault.js';
import { slow } from '../vendor-fault.js';
import type { TranscriptionOutcome, TranscriptionRequest } from './transcription-request.js';
import { ENGINE, transcribe } from './transcription-request.js';
import type { Transcription } from './transcription-response.js';
import { NO_TRANSCRIPTION } from './transcription-response.js';

const SAMPLES_PER_MS = RECOGNIZER_SAMPLE_RATE_HZ / 1000;

/** Shorter sound is refused by these services. */
const MIN_SAMPLES = 100 * SAMPLES_PER_MS;

/** Of a gap, so much is sent as silence; the rest is left out. */
const GAP_SILENCE_MS = 200;

/** Requests that may fail with an utterance. */
const MAX_TRIES = 3;

/** One that was slow would be late. */
const WORTH_ANOTHER = new Set(['recognizer_unavailable', 'recognizer_proxy_unavailable']);

const BACKOFF = { baseMs: 500, maxMs: 4000 };

export interface OpenAiLimits {
  readonly requestMs: number;
  /** Of an utterance and of those that wait for theirs. */
  readonly maxUtteranceMs: number;
}

export interface OpenAiSessionOptions {
  readonly session: RecognizerSessionOptions;
  readonly request: Omit<TranscriptionRequest, 'pcm' | 'signal'>;
  readonly limits: OpenAiLimits;
  readonly clock: Clock;
  readonly slots: Slots;
  random(): number;
  closed(): void;
}

/** An utterance is a request, sent when the utterance has ended. */
export class OpenAiSession implements RecognizerSession {
  readonly #options: OpenAiSessionOptions;
  readonly #turns: TurnQueue;
  readonly #abort = new AbortController();
  #isWorking = false;
  #isOver = false;
  #endPause: () => void = () => {};

  constructor(options: OpenAiSessionOptions) {
    this.#options = options;
    const { session, limits } = options;
    this.#turns = new TurnQueue(session.startMs, limits.maxUtteranceMs, GAP_SILENCE_MS);
  }

  /** An utterance that goes on waits for nothing but its end. */
  get backlogMs(): number {
    let samples = 0;
    for (const { audio, isEnded } of this.#turns.turns) if (isEnded) samples += audio.length;
    return samples / SAMPLES_PER_MS;
  }

  push(pcm: Int16Array): void {
    if (!this.#isOver && !this.#turns.push(pcm)) this.#overflow();
  }

  gap(durationMs: number): void {
    if (!this.#isOver && !this.#turns.gap(durationMs)) this.#overflow();
  }

  endUtterance(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    const ended = this.#turns.end();
    void this.#work();
    return ended;
  }

  restart(mediaTimeMs: number): void {
    this.#turns.restart(mediaTimeMs);
  }

  close(): Promise<void> {
    this.#isOver = true;
    this.#abort.abort();
    this.#endPause();
    this.#turns.clear();
    this.#options.closed();
    return Promise.resolve();
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let turn = this.#turns.first; turn?.isEnded; turn = this.#turns.first) {
      await this.#recognize(turn);
      if (this.#isOver) return;
      this.#turns.shift();
    }
    this.#isWorking = false;
  }

  async #recognize({ audio }: Turn): Promise<void> {
    const { slots, session } = this.#options;
    if (audio.length < MIN_SAMPLES) {
      session.onResult(this.#resultOf(NO_TRANSCRIPTION, audio));
      return;
    }
    const pcm = audio.slice(0, audio.length);
    const outcome = await slots.use(() => this.#request(pcm));
    if (this.#isOver) return;
    if (outcome.kind === 'fault') this.#fail(outcome.fault);
    else session.onResult(this.#resultOf(outcome.transcription, audio));
  }

  async #request(pcm: Int16Array): Promise<TranscriptionOutcome> {
    const { random } = this.#options;
    for (let failures = 1; ; failures += 1) {
      const outcome = await this.#try(pcm);
      if (outcome.kind === 'heard' || this.#isOver) return outcome;
      const { code, retryable, retryAfterMs: waitMs = 0 } = outcome.fault;
      // A longer wait is for whoever can turn to another recognizer meanwhile.
      const isWorthIt = retryable && WORTH_ANOTHER.has(code) && waitMs <= BACKOFF.maxMs;
      if (!isWorthIt || failures === MAX_TRIES) return outcome;
      await this.#pause(Math.max(waitMs, backoffDelayMs(failures - 1, random(), BACKOFF)));
      if (this.#isOver) return outcome;
    }
  }

  /** Ends early when the session does: others wait for its slot. */
  #pause(durationMs: number): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.at(clock.nowMs() + durationMs, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  async #try(pcm: Int16Array): Promise<TranscriptionOutcome> {
    const { clock, limits, request } = this.#options;
    const timeout = new AbortController();
    const cancel = clock.at(clock.nowMs() + limits.requestMs, () => timeout.abort());
    const signal = AbortSignal.any([timeout.signal, this.#abort.signal]);
    const outcome = await transcribe({ ...request, pcm, signal });
    cancel();
    return outcome;
  }

  #resultOf(heard: Transcription, audio: Turn['audio']): RecognizerResult {
    const mediaMs = (offsetMs: number): number =>
      audio.mediaMsAt(Math.min(audio.length, Math.round(offsetMs * SAMPLES_PER_MS)));
    const words = wordsInMediaTime(heard.words, mediaMs);
    return {
      kind: 'final',
      engine: ENGINE,
      text: heard.text,
      startMs: words[0]?.startMs ?? audio.startMs,
      endMs: words.at(-1)?.endMs ?? audio.endMs,
      words,
      confidence: heard.confidence,
      language: this.#options.session.language,
    };
  }

  #overflow(): void {
    const { maxUtteranceMs } = this.#options.limits;
    this.#fail(slow(ENGINE, `an utterance must be no longer than ${maxUtteranceMs} ms`));
  }

  #fail({ code, message, retryable }: VendorFault): void {
    this.#isOver = true;
    this.#abort.abort();
    this.#endPause();
    this.#turns.clear();
    this.#options.session.onFault({ code, message, retryable });
  }
}
