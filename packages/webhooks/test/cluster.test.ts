import { systemClock } from '@earshot/async/system';
import type { TestCluster } from '@earshot/test-kit';
import { startTestCluster } from '@earshot/test-kit';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { Webhooks } from '../src/webhooks.js';
import { LOCAL, message, Receiver, until, upTo } from './support.js';

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startTestCluster();
});

afterAll(() => cluster.close());

it('webhooks work on a Redis Cluster', async () => {
  const endpoints = await Promise.all(upTo(4).map(() => Receiver.start()));
  const pod = new Webhooks({
    ...{ redisUrl: cluster.url, clock: systemClock, random: () => 0, addresses: LOCAL },
    limits: { retryScheduleMs: [5] },
  });
  onTestFinished(async () => {
    await pod.close();
    for (const endpoint of endpoints) await endpoint.close();
  });
  await pod.ready();
  await pod.start();
  const made = await Promise.all(endpoints.map(({ url }) => pod.admin.create({ url })));
  for (const n of upTo(10)) await pod.dispatch(message('c_0', n));
  for (const endpoint of endpoints) {
    await until(() => endpoint.got.length === 10);
    expect(endpoint.numbers()).toEqual(upTo(10));
  }
  for (const { id } of made) {
    await until(async () => (await pod.admin.find(id)).health.delivered === 10);
    expect((await pod.admin.deliveries(id, { limit: 4 })).deliveries).toHaveLength(4);
    await pod.admin.disable(id, 'requested');
    await pod.admin.remove(id);
  }
  expect(await pod.admin.list()).toEqual([]);
});
