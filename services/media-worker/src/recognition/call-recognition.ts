import type { Cancel, Clock } from '@earshot/async';
import type { ListeningSettings } from '@earshot/listening';
import type { StreamIdentity } from '@earshot/media-session';
import { tasksOf } from './listen-tasks.js';
import type { RecognitionEventDraft } from './recognition-events.js';
import type { TaskResume } from './recognition-messages.js';
import type { RecognizerPool } from './recognizer-pool.js';
import { StreamEar } from './stream-ear.js';

export interface CallRecognitionOptions {
  readonly pool: RecognizerPool;
  /** What is listened for at first. */
  readonly listening: ListeningSettings;
  /** Nothing is ever too late. */
  readonly eager: boolean;
  readonly creditFrames: number;
  readonly clock: Clock;
  tell(event: RecognitionEventDraft): void;
}

/** How long what was said last may take to be recognized where it is heard again elsewhere. */
const LEAVE_MS = 1000;

/**
 * Recognition of the speech of one call, on the I/O thread. What is said in a mix is said in the streams
 * of its sources too: from the first of those on, the mix is recognized no more.
 */
export class CallRecognition {
  readonly #options: CallRecognitionOptions;
  readonly #ears = new Set<StreamEar>();
  #listening: ListeningSettings;
  #hasUnmixed = false;
  /** An utterance was told of to its end. */
  #onFinished: () => void = () => {};

  constructor(options: CallRecognitionOptions) {
    this.#options = options;
    this.#listening = options.listening;
  }

  /**
   * The ear of a stream that is about to be opened.
   *
   * @param resumes where another worker stopped listening
   */
  open(identity: StreamIdentity, firstSequence: number, resumes: readonly TaskResume[]): StreamEar {
    const { pool, eager, creditFrames, tell } = this.#options;
    const ear = new StreamEar({
      identity,
      pool,
      eager,
      creditFrames,
      resumes,
      tell,
      onFinished: () => this.#onFinished(),
      onDone: () => this.#ears.delete(ear),
    });
    this.#ears.add(ear);
    if (!ear.isMix && !this.#hasUnmixed) {
      this.#hasUnmixed = true;
      for (const each of this.#ears) if (each.isMix) this.#set(each, each.received);
    }
    this.#set(ear, firstSequence);
    return ear;
  }

  /** What is listened for has changed. */
  set(listening: ListeningSettings): void {
    const isAsBefore =
      JSON.stringify(tasksOf(listening)) === JSON.stringify(tasksOf(this.#listening));
    this.#listening = listening;
    for (const ear of this.#ears) {
      if (isAsBefore) ear.listening = listening;
      else this.#set(ear, ear.received);
    }
  }

  #set(ear: StreamEar, firstSequence: number): void {
    const isHeardElsewhere = ear.isMix && this.#hasUnmixed;
    const tasks = isHeardElsewhere ? [] : tasksOf(this.#listening);
    ear.set(tasks, firstSequence, this.#listening);
  }

  /**
   * Resolves once all that was said is told of, to be called when all streams are closed. While
   * utterances are told of, others are waited for: given up is when none was for as long as one may take.
   * What is not told of then is told as skipped, if it is not heard again elsewhere, which is not waited
   * for.
   */
  async finish(goesOn: boolean): Promise<void> {
    const isDone = Promise.all(Array.from(this.#ears, (ear) => ear.done));
    const { isLate, cancel } = this.#lateness(goesOn);
    await Promise.race([isDone, isLate]);
    cancel();
    for (const ear of this.#ears) ear.giveUp(!goesOn);
  }

  #lateness(goesOn: boolean): { isLate: Promise<void>; cancel: Cancel } {
    const { clock, pool } = this.#options;
    let cancel: Cancel = () => {};
    const isLate = new Promise<void>((resolve) => {
      const wait = (ms: number): void => {
        cancel();
        cancel = clock.at(clock.nowMs() + ms, resolve);
      };
      wait(goesOn ? LEAVE_MS : pool.utteranceLimitMs);
      if (!goesOn) this.#onFinished = () => wait(pool.utteranceLimitMs);
    });
    return {
      isLate,
      cancel: () => {
        cancel();
        this.#onFinished = () => {};
      },
    };
  }
}
