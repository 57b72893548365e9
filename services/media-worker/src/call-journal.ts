import type { Clock } from '@earshot/async';
import { BoundedQueue, delay } from '@earshot/async';
import type { EarshotEvent } from '@earshot/events';
import type { MediaEventDraft } from '@earshot/media-session';
import type { Attribution } from './attribution.js';
import { toParticipant } from './attribution.js';

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
  readonly clock: Clock;
}

/** Events that wait for the sink; beyond it they are refused and counted. */
const CAPACITY = 10_000;

const RETRY_MS = 100;

/** The events of one call on their way out: named, numbered, published in order. */
export class CallJournal {
  readonly #options: CallJournalOptions;
  readonly #queue = new BoundedQueue<MediaEventDraft>({ capacity: CAPACITY, overflow: 'refuse' });
  #position = 0;
  #flushedPosition = 0;
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
    return this.#queue.size === 0 && this.#flushedPosition === this.#position;
  }

  add(draft: MediaEventDraft): void {
    if (!this.#queue.push(draft)) return;
    this.#pumping ??= this.#pump();
  }

  /** Publishes no more: what waits is lost. */
  abandon(): void {
    this.#abandoned = true;
  }

  /** Resolves once everything added so far is in Redis. */
  async flushed(): Promise<void> {
    await this.#pumping;
    const position = this.#position;
    await this.#options.sink.flushed();
    this.#flushedPosition = Math.max(this.#flushedPosition, position);
  }

  async #pump(): Promise<void> {
    for (let draft = this.#queue.peek(); draft !== undefined; draft = this.#queue.peek()) {
      await this.#publish(draft);
      this.#queue.shift();
    }
    this.#pumping = undefined;
  }

  async #publish(draft: MediaEventDraft): Promise<void> {
    const { callId, epoch, sink, attribution, clock } = this.#options;
    const found = draft.sourceId === null ? undefined : await attribution.resolve(draft.sourceId);
    const event: EarshotEvent = {
      ...draft,
      version: 1,
      callId,
      epoch,
      source: 'media',
      position: this.#position,
      wallclock: new Date(clock.wallclockMs()).toISOString(),
      participant: toParticipant(found),
    };
    while (!this.#abandoned && !sink.publish(event)) await delay(clock, RETRY_MS);
    this.#position += 1;
  }
}
