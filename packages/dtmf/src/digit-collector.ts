import type { Digit } from './digit.js';

/** How keys pressed are put together. */
export interface CollectionSettings {
  /** A collection is over with so many digits. */
  readonly maxDigits: number;
  /** A key that ends it and is not part of it; null: none does. */
  readonly terminator: string | null;
  /** It is over when so long after the end of a key no other has ended. */
  readonly interDigitMs: number;
  /** It is over, and empty, when so long no first key has ended; null: never. */
  readonly firstDigitMs: number | null;
}

/** A key press, in the time of its source. */
export interface KeyPress {
  readonly digit: Digit;
  readonly startMs: number;
  /** The same as `startMs` when its length is not known. */
  readonly endMs: number;
}

/** Keys of one source, put together. */
export interface Collection {
  /** In order, without the terminator; may be empty. */
  readonly digits: string;
  readonly reason: 'length' | 'terminator' | 'interDigitTimeout' | 'firstDigitTimeout' | 'ended';
  /** From when on its first key was waited for; where that had no end, the begin of that key. */
  readonly sinceMs: number;
  /** Begin of the first key, be it the terminator; null when there was none. */
  readonly startMs: number | null;
  /** End of the last key, or when the time was up. */
  readonly endMs: number;
}

/** What a collector knows, as plain JSON, for one that goes on elsewhere. */
export interface DigitCollectorState {
  readonly digits: string;
  readonly startMs: number | null;
  readonly lastMs: number | null;
  /** From when on a first key is waited for; null when that has no end. */
  readonly sinceMs: number | null;
}

const EMPTY: DigitCollectorState = { digits: '', startMs: null, lastMs: null, sinceMs: null };

/**
 * Puts the keys of one source together, until there are enough of them, one that ends them, or a
 * pause. Then the next collection begins.
 *
 * Pure: time is what the presses and `advance` say, and the same presses give the same collections
 * however often `advance` is called between them, as long as it is never called with a time at which
 * a press that ended before is still on its way.
 */
export class DigitCollector {
  #settings: CollectionSettings;
  #state: DigitCollectorState;

  /** @param state where another collector of the source left off. */
  constructor(settings: CollectionSettings, state: DigitCollectorState = EMPTY) {
    this.#settings = settings;
    this.#state = state;
  }

  get state(): DigitCollectorState {
    return this.#state;
  }

  /** When the collection is over without another key; null: never. */
  get deadlineMs(): number | null {
    const { lastMs, sinceMs } = this.#state;
    const { interDigitMs, firstDigitMs } = this.#settings;
    if (lastMs !== null) return lastMs + interDigitMs;
    return sinceMs === null || firstDigitMs === null ? null : sinceMs + firstDigitMs;
  }

  /** Has the first key be waited for from `nowMs` on, unless there is one. */
  begin(nowMs: number): void {
    const isWaiting = this.#state.startMs === null && this.#settings.firstDigitMs !== null;
    if (isWaiting) this.#state = { ...EMPTY, sinceMs: nowMs };
  }

  /**
   * Goes on by other settings: what was collected stays, and an empty wait begins anew.
   *
   * @param nowMs undefined where nobody can say yet: the wait is off until `begin`
   */
  change(settings: CollectionSettings, nowMs: number | undefined): void {
    this.#settings = settings;
    if (nowMs !== undefined) this.begin(nowMs);
    else if (this.#state.startMs === null) this.#state = EMPTY;
  }

  /** Takes a key; returns the collections that are over before and by it. */
  press({ digit, startMs, endMs }: KeyPress): Collection[] {
    const before = this.advance(endMs);
    const ended = this.#take(digit, startMs, Math.max(endMs, this.#state.lastMs ?? endMs));
    return ended === undefined ? before : [...before, ended];
  }

  /** Tells what is over because no key came until `nowMs`: nothing, or one or two collections. */
  advance(nowMs: number): Collection[] {
    const over: Collection[] = [];
    for (let { deadlineMs } = this; deadlineMs !== null && nowMs >= deadlineMs; ) {
      over.push(this.#timeUp(deadlineMs));
      deadlineMs = this.deadlineMs;
    }
    return over;
  }

  /** The source is over: what there is of a collection is told, but not that there is nothing. */
  end(atMs: number): Collection | undefined {
    const { startMs, lastMs } = this.#state;
    const endMs = Math.max(atMs, lastMs ?? atMs);
    const collection = startMs === null ? undefined : this.#finish('ended', endMs);
    this.#state = EMPTY;
    return collection;
  }

  #timeUp(atMs: number): Collection {
    if (this.#state.lastMs !== null) return this.#finish('interDigitTimeout', atMs);
    const empty = this.#finish('firstDigitTimeout', atMs);
    // Nobody waits after an empty one: it would be told again and again.
    this.#state = EMPTY;
    return empty;
  }

  #take(digit: Digit, startMs: number, lastMs: number): Collection | undefined {
    const { terminator, maxDigits } = this.#settings;
    const isTerminator = digit === terminator;
    const digits = isTerminator ? this.#state.digits : this.#state.digits + digit;
    this.#state = { ...this.#state, digits, startMs: this.#state.startMs ?? startMs, lastMs };
    if (isTerminator) return this.#finish('terminator', lastMs);
    return digits.length >= maxDigits ? this.#finish('length', lastMs) : undefined;
  }

  #finish(reason: Collection['reason'], endMs: number): Collection {
    const { digits, startMs, sinceMs } = this.#state;
    const isWaited = this.#settings.firstDigitMs !== null;
    this.#state = isWaited ? { ...EMPTY, sinceMs: endMs } : EMPTY;
    return { digits, reason, sinceMs: sinceMs ?? startMs ?? endMs, startMs, endMs };
  }
}
