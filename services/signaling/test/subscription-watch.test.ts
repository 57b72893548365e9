import { systemClock } from '@earshot/async/system';
import { EventConsumer, Subscriptions } from '@earshot/events';
import { createMetrics } from '@earshot/telemetry';
import { startTestRedis } from '@earshot/test-kit';
import { expect, it, onTestFinished } from 'vitest';
import { SubscriptionWatch } from '../src/taps/subscription-watch.js';

it('what waits in the event queues is told by subscription, those of single lookers together', async () => {
  const redis = await startTestRedis();
  onTestFinished(() => redis.close());
  const { url: redisUrl } = redis;
  const subscriptions = new Subscriptions({ redisUrl });
  onTestFinished(() => subscriptions.close());
  await subscriptions.ready();
  await subscriptions.add('crm');
  for (const subscription of ['tail-1', 'tail-2']) {
    const clock = systemClock;
    const handler = () => {};
    const looker = new EventConsumer({ redisUrl, clock, subscription, isEphemeral: true, handler });
    onTestFinished(() => looker.close());
    await looker.start();
  }
  const metrics = createMetrics({ service: 'test', process: false });
  const failures: unknown[] = [];
  const watch = new SubscriptionWatch(subscriptions, metrics, (error) => failures.push(error));
  await watch.look();
  const text = await metrics.text();
  const names = [...text.matchAll(/events_queue_jobs\{subscription="([^"]+)"/g)].map(
    ([, name]) => name,
  );
  expect(names).toEqual(['crm', 'default', '(ephemeral)']);
  expect(text).toContain('earshot_dead_letters{subscription="crm",service="test"} 0');
  await redis.kill();
  await watch.look();
  expect(failures).toHaveLength(1);
  // What was seen last stays.
  expect(await metrics.text()).toBe(text);
});
