import { systemClock } from '@earshot/async/system';
import type { TestCluster } from '@earshot/test-kit';
import { startTestCluster } from '@earshot/test-kit';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { EventConsumer } from '../src/event-consumer.js';
import { EventPublisher } from '../src/event-publisher.js';
import { Subscriptions } from '../src/subscriptions.js';
import { publishAll, speech, until } from './support.js';

const CALLS = Array.from({ length: 16 }, (_, i) => `c_${i}`);

// What is kept beside the queues, each thing in a slot of its own.
describe('on a Redis Cluster', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(() => cluster.close());

  it('dead letters and ephemeral subscriptions work, too', async () => {
    const options = { redisUrl: cluster.url, clock: systemClock, subscription: 'mine' };
    const publisher = new EventPublisher(options);
    const admin = new Subscriptions(options);
    await Promise.all([publisher.ready(), admin.ready()]);
    onTestFinished(async () => {
      await Promise.all([publisher.close(), admin.close()]);
    });
    const got: string[] = [];
    let isBroken = true;
    const consumer = new EventConsumer({
      ...options,
      isEphemeral: true,
      handler: ({ id, position }) => {
        if (isBroken && position === 1) throw new Error('broken');
        got.push(id);
      },
    });
    await consumer.start();
    await publishAll(
      publisher,
      [0, 1, 2].flatMap((position) => CALLS.map((callId) => speech(callId, position))),
    );
    await until(() => consumer.stats.failed === 16 && got.length === 32);
    isBroken = false;
    expect((await admin.deadLetters('mine', { limit: 1_000 })).letters.length).toBe(16);
    expect(await admin.replay('mine')).toEqual({ replayed: 16, invalid: 0, withheld: 0 });
    await until(() => got.length === 48);
    expect(consumer.stats.duplicates).toBe(0);
    expect((await admin.list()).find(({ name }) => name === 'mine')?.isEphemeral).toBe(true);
    await consumer.close();
    expect((await admin.list()).map(({ name }) => name)).toEqual(['default']);
  });
});
