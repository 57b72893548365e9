import { systemClock } from '@earshot/async/system';
import type { EarshotEvent } from '@earshot/events';
import { EventConsumer, EventPublisher, Subscriptions } from '@earshot/events';
import { closedGate, reduceGate } from '@earshot/recording-gate';
import { Registry } from '@earshot/registry';
import { startTestRedis } from '@earshot/test-kit';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WAIT } from './support/harness.js';

const MINUTE_MS = 60_000;

function keyed(callId: string): EarshotEvent {
  return {
    ...{ version: 1, id: `${callId}.1`, type: 'tone.collected', callId, epoch: 1, source: 'media' },
    ...{ position: 0, mediaTimeMs: 900, participant: null, sourceId: '201' },
    // Later than a gate that opens now: what was keyed before is not kept.
    wallclock: new Date(systemClock.wallclockMs() + MINUTE_MS).toISOString(),
    data: { digits: '4711', reason: 'length', startMs: 0, endMs: 900 },
  };
}

it('dead letters look at the gate that the registry keeps', async () => {
  const redis = await startTestRedis();
  onTestFinished(() => redis.close());
  const options = { redisUrl: redis.url, clock: systemClock };
  const registry = new Registry(options);
  onTestFinished(() => registry.close());
  await registry.ready();
  const closed = closedGate('declaration');
  await registry.setRecordingGate('c_open', reduceGate(closed, { kind: 'declared' }));
  await registry.setRecordingGate('c_closed', closed);

  const consumer = new EventConsumer({
    ...options,
    handler: () => Promise.reject(new Error('no')),
  });
  onTestFinished(() => consumer.close());
  await consumer.start();
  const publisher = new EventPublisher(options);
  onTestFinished(() => publisher.close());
  await publisher.ready();
  for (const callId of ['c_open', 'c_closed']) publisher.publish(keyed(callId));
  await vi.waitUntil(() => consumer.stats.failed === 2, WAIT);

  const subscriptions = new Subscriptions(options);
  onTestFinished(() => subscriptions.close());
  await subscriptions.ready();
  const [open] = (await subscriptions.deadLetters('default', { callId: 'c_open' })).letters;
  const [shut] = (await subscriptions.deadLetters('default', { callId: 'c_closed' })).letters;
  expect(open?.event).toMatchObject({ data: { digits: '4711' } });
  expect(open?.withheldBytes).toBeUndefined();
  expect(shut?.event).not.toHaveProperty('data');
  expect(shut?.withheldBytes).toBeGreaterThan(0);
});
