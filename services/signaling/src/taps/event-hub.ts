import type { ServerResponse } from 'node:http';
import type { Cancel, Clock } from '@earshot/async';
import { CodedError, every } from '@earshot/async';
import type { RecentEvents } from '@earshot/events';
import type { StreamEnd } from './event-stream.js';
import { EventStream } from './event-stream.js';
import { LiveReader } from './live-reader.js';
import type { LiveWindow } from './live-window.js';

const BEAT_EVERY_MS = 15_000;
/** How long the first read may take. */
const OPEN_WITHIN_MS = 2_000;

export interface EventHubOptions {
  readonly recent: RecentEvents;
  readonly clock: Clock;
  /** Streams at a time; more are refused. */
  readonly maxStreams: number;
  /** Events of all calls that a stream may lie behind; `dropStream` beyond. */
  readonly windowEvents: number;
  readonly onEnded: (end: StreamEnd) => void;
  readonly onError: (error: unknown) => void;
}

/** A client that wants to look on. */
export interface StreamRequest {
  readonly callId: string | undefined;
  readonly types: ReadonlySet<string> | undefined;
  readonly lastEventId: string | undefined;
  /** Takes the connection over, once nothing can go wrong any more. */
  begin(): ServerResponse;
}

/** This process's live streams. Events are read while there is a stream, once for all of them. */
export class EventHub {
  readonly #options: EventHubOptions;
  readonly #streams = new Set<EventStream>();
  readonly #cancelBeat: Cancel;
  #opening = 0;
  #reader: Promise<LiveReader> | undefined;
  #isClosed = false;

  constructor(options: EventHubOptions) {
    this.#options = options;
    this.#cancelBeat = every(options.clock, BEAT_EVERY_MS, () => {
      for (const stream of this.#streams) stream.beat();
    });
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** @throws CodedError `too_many_event_streams`, `redis_unreachable`; before `begin` was called. */
  async open(request: StreamRequest): Promise<void> {
    const { maxStreams } = this.#options;
    if (this.#isClosed || this.#streams.size + this.#opening >= maxStreams) {
      throw new CodedError(
        'too_many_event_streams',
        `Cannot open the stream: this process serves ${maxStreams} at a time, got one more`,
        { fix: 'Close streams that nobody looks at, or raise EARSHOT_MAX_EVENT_STREAMS.' },
      );
    }
    this.#opening += 1;
    try {
      this.#reader ??= this.#read();
      const { window } = await this.#inTime(this.#reader);
      this.#add(request, window);
    } finally {
      this.#opening -= 1;
      this.#stopIfUnwatched();
    }
  }

  /** Who wants to look on while Redis is away is told so. */
  #inTime(reader: Promise<LiveReader>): Promise<LiveReader> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const cancel = clock.at(clock.nowMs() + OPEN_WITHIN_MS, () => reject(redisAway()));
      reader.then(resolve, reject).finally(cancel);
    });
  }

  /** Ends all streams, and lets none begin. */
  close(): void {
    this.#isClosed = true;
    this.#cancelBeat();
    for (const stream of this.#streams) stream.end('closing');
  }

  #read(): Promise<LiveReader> {
    const { recent, clock, windowEvents, onError } = this.#options;
    const onEvents = (): void => {
      for (const stream of this.#streams) stream.pump();
    };
    const reader = LiveReader.start({ recent, clock, capacity: windowEvents, onEvents, onError });
    reader.catch(() => {
      if (this.#reader === reader) this.#reader = undefined;
    });
    return reader;
  }

  #add({ callId, types, lastEventId, begin }: StreamRequest, window: LiveWindow): void {
    const response = begin();
    if (response.destroyed) return;
    const { clock, onEnded } = this.#options;
    const stream: EventStream = new EventStream({
      ...{ window, response, clock, callId, types, lastEventId },
      onEnd: (end) => {
        this.#streams.delete(stream);
        onEnded(end);
        this.#stopIfUnwatched();
      },
    });
    this.#streams.add(stream);
    if (this.#isClosed) stream.end('closing');
  }

  #stopIfUnwatched(): void {
    if (this.#streams.size + this.#opening > 0) return;
    void this.#reader?.then(
      (reader) => reader.stop(),
      () => {},
    );
    this.#reader = undefined;
  }
}

function redisAway(): CodedError {
  return new CodedError(
    'redis_unreachable',
    `Cannot open the stream: Redis must answer within ${OPEN_WITHIN_MS} ms, got no answer`,
  );
}
