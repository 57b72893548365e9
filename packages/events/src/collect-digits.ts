import type { Cancel, Clock } from '@earshot/async';
import type { Collection, CollectionSettings } from '@earshot/dtmf';
import { DigitCollector } from '@earshot/dtmf';
import type { EarshotEvent, EventOf } from './event.js';

export interface CollectDigitsOptions extends Partial<Omit<CollectionSettings, 'maxDigits'>> {
  /** A collection is over with so many digits. */
  readonly maxDigits: number;
  readonly clock: Clock;
  /** Told of each collection that is over; must not throw. */
  onCollected(collected: CollectedDigits): void;
}

/** Keys of one source of a call, put together. */
export interface CollectedDigits {
  readonly callId: string;
  /** Null for what is no known source's. */
  readonly sourceId: string | null;
  /** Whose source it was at the last key; null when unknown, and when there was no key. */
  readonly participant: EarshotEvent['participant'];
  /** In order, without the terminator; may be empty. */
  readonly digits: string;
  readonly reason: Collection['reason'];
  /** Begin of the first key on the call's media clock; null when there was none. */
  readonly startMs: number | null;
}

/** Collections that may be open at once; beyond, the oldest ends as if its call did. */
const MAX_OPEN = 10_000;

/** Keys of which it is known that they were counted; the oldest is forgotten beyond. */
const MAX_COUNTED = 10_000;

interface Open {
  readonly callId: string;
  readonly sourceId: string | null;
  readonly collector: DigitCollector;
  participant: EarshotEvent['participant'];
  cancel: Cancel;
}

/** Puts keys together for a consumer of events. */
export interface DigitCollection {
  /** Give it all events: the `handler` of a consumer, or called by it. */
  readonly handler: (event: EarshotEvent) => void;
  /** Has the first key of a source be waited for from now on, for `firstDigitMs`. */
  expect(callId: string, sourceId: string | null): void;
  /** Forgets all that is open; nothing is told. */
  close(): void;
}

/**
 * Puts keys together as a call's own `collect` settings would (`tone.collected`), for consumers that
 * want settings of their own: for each call and source, until there are enough, a key that ends them,
 * or a pause. Pauses between keys are told by their media time; the clock tells that no key follows.
 *
 * An event that comes again counts once, as long as it is among the newest 10 000 keys.
 *
 * What is open is this process's alone: a consumer that restarts, or shares its subscription with
 * another, sees part of the keys.
 */
export function collectDigits(options: CollectDigitsOptions): DigitCollection {
  const digits = new EventDigits(options);
  return {
    handler: (event) => digits.take(event),
    expect: (callId, sourceId) => digits.expect(callId, sourceId),
    close: () => digits.close(),
  };
}

class EventDigits {
  readonly #options: CollectDigitsOptions;
  readonly #settings: CollectionSettings;
  readonly #firstDigitMs: number | null;
  /** Those in which a key came, or is waited for; by call, then source. */
  readonly #open = new Map<string, Open>();
  /** Events come again when a handler fails, perhaps another than ours. */
  readonly #counted = new Set<string>();

  constructor(options: CollectDigitsOptions) {
    const { maxDigits, terminator = '#', interDigitMs = 3000, firstDigitMs = null } = options;
    this.#options = options;
    // The wait for a first key is the clock's: there is no media time before it.
    this.#settings = { maxDigits, terminator, interDigitMs, firstDigitMs: null };
    this.#firstDigitMs = firstDigitMs;
  }

  take(event: EarshotEvent): void {
    if (event.type === 'tone.detected') {
      if (this.#isFirst(`${event.callId} ${event.id}`)) this.#press(event);
    } else if (event.type === 'call.ended') this.#endCall(event.callId);
  }

  expect(callId: string, sourceId: string | null): void {
    if (this.#firstDigitMs === null) return;
    const open = this.#of(callId, sourceId);
    if (open.collector.state.startMs !== null) return;
    this.#setTimer(open, this.#firstDigitMs, () =>
      this.#tell(open, { digits: '', reason: 'firstDigitTimeout', startMs: null }),
    );
  }

  close(): void {
    for (const { cancel } of this.#open.values()) cancel();
    this.#open.clear();
    this.#counted.clear();
  }

  #isFirst(id: string): boolean {
    if (this.#counted.has(id)) return false;
    this.#counted.add(id);
    const [oldest] = this.#counted;
    if (this.#counted.size > MAX_COUNTED && oldest !== undefined) this.#counted.delete(oldest);
    return true;
  }

  #press({ callId, sourceId, participant, data }: EventOf<'tone.detected'>): void {
    const { digit, startMs, durationMs } = data;
    if (digit === null) return;
    const open = this.#of(callId, sourceId);
    open.cancel();
    open.participant = participant;
    const over = open.collector.press({ digit, startMs, endMs: startMs + durationMs });
    for (const collection of over) this.#tell(open, collection);
    const { deadlineMs } = open.collector;
    if (deadlineMs === null) {
      this.#forget(open);
      return;
    }
    this.#setTimer(open, this.#settings.interDigitMs, () => {
      for (const collection of open.collector.advance(deadlineMs)) this.#tell(open, collection);
    });
  }

  #setTimer(open: Open, afterMs: number, run: () => void): void {
    const { clock } = this.#options;
    open.cancel();
    open.cancel = clock.at(clock.nowMs() + afterMs, () => {
      this.#forget(open);
      run();
    });
  }

  #endCall(callId: string): void {
    for (const open of [...this.#open.values()]) if (open.callId === callId) this.#end(open);
  }

  #end(open: Open): void {
    this.#forget(open);
    const ended = open.collector.end(open.collector.state.lastMs ?? 0);
    if (ended !== undefined) this.#tell(open, ended);
  }

  #of(callId: string, sourceId: string | null): Open {
    const key = keyOf(callId, sourceId);
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#open.values();
    if (this.#open.size >= MAX_OPEN && oldest !== undefined) this.#end(oldest);
    const collector = new DigitCollector(this.#settings);
    const open = { callId, sourceId, collector, participant: null, cancel: () => {} };
    this.#open.set(key, open);
    return open;
  }

  #forget(open: Open): void {
    open.cancel();
    const key = keyOf(open.callId, open.sourceId);
    if (this.#open.get(key) === open) this.#open.delete(key);
  }

  #tell(open: Open, collection: Pick<Collection, 'digits' | 'reason' | 'startMs'>): void {
    const { callId, sourceId, participant } = open;
    const { digits, reason, startMs } = collection;
    this.#options.onCollected({ callId, sourceId, participant, digits, reason, startMs });
  }
}

function keyOf(callId: string, sourceId: string | null): string {
  return `${callId} ${sourceId ?? ''}`;
}
