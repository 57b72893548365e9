import type { Clock } from '@earshot/async';
import { BoundedQueue, delay } from '@earshot/async';
import type { EarshotEvent } from '@earshot/events';
import type { MediaEventDraft } from '@earshot/media-session';
import type { Attribution } from './attribution.js';
import { toParticipant } from './attribution.js';
import type { CallEventDraft } from './call-events.js';
import type { WorkerLog } from './log.js';
import type { PlayEventDraft } from './play/play-events.js';
import type { RecognitionEventDraft } from './recognition/recognition-events.js';

/** Where events go; the publisher of @earshot/events. */
export interface EventSink {
  /** False when there is no room now. */
  publish(event: EarshotEvent): boolean;
  /** Resolves once all accepted so far is in Redis. */
  flushed(): Promise<void>;
}

export interface CallJournalOptions {
  readonly callId: string;
  readonly epoch: number;
  readonly sink: EventSink;
  readonly attribution: Attribution;
  /** Of the trace that its events belong to. */
  readonly traceparent?: string | undefined;
  readonly clock: Clock;
  readonly log: WorkerLog;
}

/** Events that wait for the sink; beyond it they are refused and counted. */
const CAPACITY = 10_000;

const RETRY_MS = 100;

type EventDraft = MediaEventDraft | CallEventDraft | PlayEventDraft | RecognitionEventDraft;

/** An event and its number. */
interface Entry {
  readonly draft: EventDraft;
  readonly position: number;
  /** When it was found, Unix ms: sources change hands. */
  readonly foundAtMs: number;
}

/**
 * The events of one call on their way out: named, numbered, published in order. One that finds
 * no room is lost, and its number with it: consumers see the hole.
 */
export class CallJournal {
  readonly #options: CallJournalOptions;
  readonly #queue = new BoundedQueue<Entry>({ capacity: CAPACITY, overflow: 'refuse' });
  /** Number of the next event. */
  #nextPosition = 0;
  /** Events taken by the sink, and those of them known to be in Redis. */
  #published = 0;
  #flushed = 0;
  #pumping: Promise<void> | undefined;
  #abandoned = false;

  constructor(options: CallJournalOptions) {
    this.#options = options;
  }

  /** Events that were lost because the sink took none for too long. */
  get refused(): number {
    return this.#queue.refused;
  }

  /** Everything added is in Redis, as far as is known. */
  get isFlushed(): boolean {
    return this.#queue.size === 0 && this.#flushed === this.#published;
  }

  add(draft: EventDraft): void {
    const position = this.#nextPosition++;
    const foundAtMs = this.#options.clock.wallclockMs();
    if (!this.#queue.push({ draft, position, foundAtMs })) {
      if (this.refused === 1) this.#tellLoss(position);
      return;
    }
    this.#pumping ??= this.#pump();
  }

  /** Publishes no more: what waits is lost. */
  abandon(): void {
    this.#abandoned = true;
  }

  /** Resolves once everything added so far is in Redis. */
  async flushed(): Promise<void> {
    await this.#pumping;
    const published = this.#published;
    await this.#options.sink.flushed();
    this.#flushed = Math.max(this.#flushed, published);
  }

  /** Once a call: there may be many. */
  #tellLoss(position: number): void {
    const { log, callId } = this.#options;
    log.error('events of a call are lost: too many wait', { callId, waiting: CAPACITY, position });
  }

  async #pump(): Promise<void> {
    for (let entry = this.#queue.peek(); entry !== undefined; entry = this.#queue.peek()) {
      await this.#publish(entry);
      this.#queue.shift();
    }
    this.#pumping = undefined;
  }

  async #publish({ draft, position, foundAtMs }: Entry): Promise<void> {
    const { callId, epoch, sink, attribution, traceparent, clock } = this.#options;
    const found =
      draft.sourceId === null ? undefined : await attribution.resolve(draft.sourceId, foundAtMs);
    const event: EarshotEvent = {
      ...draft,
      version: 1,
      callId,
      epoch,
      source: 'media',
      position,
      wallclock: new Date(clock.wallclockMs()).toISOString(),
      participant: toParticipant(found),
      ...(traceparent === undefined ? {} : { traceparent }),
    };
    while (!this.#abandoned && !sink.publish(event)) await delay(clock, RETRY_MS);
    this.#published += 1;
  }
}
