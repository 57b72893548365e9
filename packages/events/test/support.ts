import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@earshot/async/system';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { EarshotEvent } from '../src/event.js';
import type { ConsumerSettings } from '../src/event-consumer.js';
import { EventConsumer } from '../src/event-consumer.js';
import type { PublisherOptions } from '../src/event-publisher.js';
import { EventPublisher } from '../src/event-publisher.js';
import type { EventHandler, Handling } from '../src/handling.js';

/** One Redis for a test file, emptied after each test, with publishers and consumers on it. */
export function useRedis(options: { persistent?: boolean | 'always' } = {}) {
  let server: TestRedis;
  let raw: Redis;
  const open: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    server = await startTestRedis(options);
    raw = new Redis(server.url, { maxRetriesPerRequest: null });
    raw.on('error', () => {});
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()));
    await raw.flushall();
  });
  afterAll(async () => {
    raw.disconnect();
    await server.close();
  });

  return {
    get raw(): Redis {
      return raw;
    },
    get server(): TestRedis {
      return server;
    },
    async publisher(more: Partial<PublisherOptions> = {}): Promise<EventPublisher> {
      const publisher = new EventPublisher({ redisUrl: server.url, clock: systemClock, ...more });
      open.push(publisher);
      await publisher.ready();
      return publisher;
    },
    async consumer(
      handling: EventHandler | Handling,
      more: Partial<ConsumerSettings> = {},
    ): Promise<EventConsumer> {
      const consumer = new EventConsumer({
        redisUrl: server.url,
        clock: systemClock,
        ...(typeof handling === 'function' ? { handler: handling } : handling),
        ...more,
      });
      open.push(consumer);
      await consumer.start();
      return consumer;
    },
  };
}

/** Event `position` of a call. */
export function speech(callId: string, position: number, id = `${callId}/${position}`) {
  const event: EarshotEvent = {
    version: 1,
    id,
    type: 'speech.started',
    callId,
    epoch: 1,
    source: 'media',
    position,
    mediaTimeMs: position * 20,
    wallclock: '2026-11-23T20:00:00.000Z',
    participant: null,
    sourceId: null,
    data: { startMs: position * 20 },
  };
  return event;
}

/** Waits for other processes' doing; the test's time limit ends it when it never comes true. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(2);
}

/** Publishes all, waiting for room in the outbox when there is none. */
export async function publishAll(
  publisher: EventPublisher,
  events: readonly EarshotEvent[],
): Promise<void> {
  for (const event of events) {
    while (!publisher.publish(event)) await sleep(2);
  }
}
