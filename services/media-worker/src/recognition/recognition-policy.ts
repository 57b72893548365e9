/** Of the bound: from where partials are not told, and below which they are again. */
const PARTIALS_OFF = 0.5;
const PARTIALS_ON = 0.25;

/** Time per time of sound, of a recognizer that was not yet measured. */
const FIRST_REAL_TIME_FACTOR = 0.3;

/** How much the newest utterance changes what is expected. */
const WEIGHT = 0.2;

/** Shorter utterances say little: starting costs more than sound. */
const MIN_MEASURED_MS = 200;

/** Sound that waits in one thread is never more than this, whatever it takes to recognize: memory. */
export const MAX_WAITING_MS = 600_000;

/**
 * What gives way, and in which order, when there is more speech than can be recognized: utterances
 * wait; then partials are not told; then whole utterances are skipped.
 */
export class RecognitionPolicy {
  readonly #backlogMs: number;
  #partialsOff = false;
  #timesOff = 0;

  /** @param backlogMs work that may wait, as the time that it takes. */
  constructor(backlogMs: number) {
    this.#backlogMs = backlogMs;
  }

  get partialsOff(): boolean {
    return this.#partialsOff;
  }

  get timesPartialsOff(): number {
    return this.#timesOff;
  }

  /** @param workMs work that waits, as the time that it takes. */
  look(workMs: number): void {
    const isOff = workMs >= this.#backlogMs * (this.#partialsOff ? PARTIALS_ON : PARTIALS_OFF);
    if (isOff && !this.#partialsOff) this.#timesOff += 1;
    this.#partialsOff = isOff;
  }

  /** Whether an utterance that begins now may wait for its turn. */
  admits(workMs: number, waitingMs: number): boolean {
    return workMs < this.#backlogMs && waitingMs < MAX_WAITING_MS;
  }
}

/** How fast a recognizer is, by what it did. */
export class RealTimeFactor {
  audioMs = 0;
  busyMs = 0;
  faults = 0;
  #factor: number = FIRST_REAL_TIME_FACTOR;

  /** Time that one unit of sound's time takes. */
  get value(): number {
    return this.#factor;
  }

  add(audioMs: number, busyMs: number): void {
    this.audioMs += audioMs;
    this.busyMs += busyMs;
    if (audioMs < MIN_MEASURED_MS) return;
    this.#factor += WEIGHT * (busyMs / audioMs - this.#factor);
  }
}
