import type { Clock } from '@earshot/async';
import { delay } from '@earshot/async';
import type { ListeningSettings } from '@earshot/listening';
import type { StreamIdentity } from '@earshot/media-session';
import { tasksOf } from './listen-tasks.js';
import type { RecognitionEventDraft } from './recognition-events.js';
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

/** How long what was said last may take to be recognized once a call is over. */
const FINISH_MS = 30_000;

/** The same where it is heard again elsewhere. */
const LEAVE_MS = 1000;

/** Recognition of the speech of one call, on the I/O thread. */
export class CallRecognition {
  readonly #options: CallRecognitionOptions;
  readonly #ears = new Set<StreamEar>();
  #listening: ListeningSettings;

  constructor(options: CallRecognitionOptions) {
    this.#options = options;
    this.#listening = options.listening;
  }

  /** The ear of a stream that is about to be opened. */
  open(identity: StreamIdentity, firstSequence: number): StreamEar {
    const { pool, eager, creditFrames, tell } = this.#options;
    const ear = new StreamEar({
      identity,
      pool,
      eager,
      creditFrames,
      tell,
      onDone: () => this.#ears.delete(ear),
    });
    this.#ears.add(ear);
    ear.set(tasksOf(this.#listening), firstSequence, this.#listening);
    return ear;
  }

  /** What is listened for has changed. */
  set(listening: ListeningSettings): void {
    const isAsBefore =
      JSON.stringify(tasksOf(listening)) === JSON.stringify(tasksOf(this.#listening));
    this.#listening = listening;
    for (const ear of this.#ears) {
      if (isAsBefore) ear.listening = listening;
      else ear.set(tasksOf(listening), ear.received, listening);
    }
  }

  /**
   * Resolves once all that was said is told of, to be called when all streams are closed; what
   * takes too long is told as skipped, if it is not heard again elsewhere.
   */
  async finish(goesOn: boolean): Promise<void> {
    const { clock } = this.#options;
    const isDone = Promise.all(Array.from(this.#ears, (ear) => ear.done));
    await Promise.race([isDone, delay(clock, goesOn ? LEAVE_MS : FINISH_MS)]);
    for (const ear of this.#ears) ear.giveUp(!goesOn);
  }
}
