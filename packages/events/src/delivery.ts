import type { Clock } from '@earshot/async';
import type { Redis } from 'ioredis';
import type { EarshotEvent } from './event.js';
import { parseEvent } from './event-schema.js';
import type { Names } from './names.js';

/** A copy of an event comes, if at all, soon after: by a retry, or by audio played again. */
const HANDLED_TTL_MS = 6 * 3_600_000;
const HANDLER_ATTEMPTS = 3;
const MAX_DEAD_LETTERS = 10_000;
const DEAD_LETTER_TTL_MS = 7 * 24 * 3_600_000;

export interface DeliveryOptions {
  readonly client: Redis;
  readonly names: Names;
  readonly clock: Clock;
  readonly subscription: string;
  readonly handler: (event: EarshotEvent) => Promise<void> | void;
  readonly onError: (error: unknown) => void;
}

/**
 * Hands the events of a job to the handler, one after the other, each once: what is known to be
 * handled is left out. What can't be handled is set aside, so that the next ones are not held up.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  delivered = 0;
  duplicates = 0;
  failed = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  async deliver(values: readonly unknown[]): Promise<void> {
    const events: EarshotEvent[] = [];
    for (const value of values) {
      const event = await this.#parse(value);
      if (event !== undefined) events.push(event);
    }
    const handled = await this.#handledAmong(events);
    const marks: Promise<unknown>[] = [];
    for (const [index, event] of events.entries()) {
      const isRepeated = events.findIndex(({ id }) => id === event.id) < index;
      if (handled[index] === true || isRepeated) {
        this.duplicates += 1;
        continue;
      }
      await this.#handle(event);
      // On its way before the next event is handled, though not waited for.
      const mark = this.#mark(event);
      mark.catch(() => {});
      marks.push(mark);
    }
    await Promise.all(marks);
  }

  /** Sets everything aside unhandled. */
  async setAside(values: readonly unknown[], reason: string): Promise<void> {
    for (const value of values) await this.#setAside(value, new Error(reason));
  }

  async #parse(value: unknown): Promise<EarshotEvent | undefined> {
    try {
      return parseEvent(value);
    } catch (error) {
      await this.#setAside(value, error);
      return undefined;
    }
  }

  async #handledAmong(events: readonly EarshotEvent[]): Promise<boolean[]> {
    const { client, names, subscription } = this.#options;
    return Promise.all(
      events.map(async ({ callId, id }) => {
        return (await client.sismember(names.handled(callId, subscription), id)) === 1;
      }),
    );
  }

  async #handle(event: EarshotEvent): Promise<void> {
    let failure: unknown;
    for (let attempt = 0; attempt < HANDLER_ATTEMPTS; attempt += 1) {
      try {
        await this.#options.handler(event);
        this.delivered += 1;
        return;
      } catch (error) {
        failure = error;
      }
    }
    await this.#setAside(event, failure);
  }

  async #mark({ callId, id }: EarshotEvent): Promise<void> {
    const { client, names, subscription } = this.#options;
    const key = names.handled(callId, subscription);
    await Promise.all([client.sadd(key, id), client.pexpire(key, HANDLED_TTL_MS)]);
  }

  async #setAside(event: unknown, error: unknown): Promise<void> {
    const { client, names, clock, subscription, onError } = this.#options;
    this.failed += 1;
    onError(error);
    const letter = JSON.stringify({
      failedAt: new Date(clock.wallclockMs()).toISOString(),
      error: error instanceof Error ? error.message : String(error),
      event,
    });
    const key = names.deadLetters(subscription);
    await Promise.all([
      client.lpush(key, letter),
      client.ltrim(key, 0, MAX_DEAD_LETTERS - 1),
      client.pexpire(key, DEAD_LETTER_TTL_MS),
    ]);
  }
}
