import type { ServerResponse } from 'node:http';
import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';
import type { CallTable } from './call-table.js';

const INTERVAL_MS = 100;

/** A watcher that leaves so much unread is let go. */
const MAX_UNREAD_BYTES = 1_000_000;

/** A momentary reading of one stream. */
export interface StreamLevel {
  readonly streamId: number;
  /** The speaker's source; null for a mix. */
  readonly sourceId: string | null;
  readonly participant: { readonly id: string; readonly displayName?: string } | null;
  readonly levelDbfs: number;
  readonly speaking: boolean;
}

/** Levels of all calls for those who watch, as server-sent events; no watcher, no work. */
export class LevelsStream {
  readonly #calls: CallTable;
  readonly #clock: Clock;
  readonly #watchers = new Set<ServerResponse>();
  #cancel: Cancel | undefined;

  constructor(calls: CallTable, clock: Clock) {
    this.#calls = calls;
    this.#clock = clock;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Sends levels to `response` until it closes. */
  watch(response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      connection: 'keep-alive',
    });
    response.write(': levels\n\n');
    this.#watchers.add(response);
    response.once('close', () => this.#forget(response));
    this.#cancel ??= every(this.#clock, INTERVAL_MS, () => this.#send());
  }

  /** Ends all responses. */
  close(): void {
    for (const response of this.#watchers) response.end();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #send(): void {
    const text = this.#calls
      .calls()
      .filter((call) => call.streams.liveCount > 0)
      .map((call) => JSON.stringify({ callId: call.callId, streams: call.levels() }))
      .map((data) => `data: ${data}\n\n`)
      .join('');
    if (text === '') return;
    for (const response of this.#watchers) {
      if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
      else response.write(text);
    }
  }

  #forget(response: ServerResponse): void {
    this.#watchers.delete(response);
    if (this.#watchers.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
