import { VirtualClock } from '@earshot/async';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PARTITIONS } from '../src/partition.js';
import { Subscriptions } from '../src/subscriptions.js';
import { publishAll, speech, until, useRedis } from './support.js';

const redis = useRedis();

async function subscriptions(): Promise<Subscriptions> {
  const opened = new Subscriptions({ redisUrl: redis.server.url });
  onTestFinished(() => opened.close());
  await opened.ready();
  return opened;
}

/** Every key that has to do with a subscription. */
async function keysOf(name: string): Promise<string[]> {
  const keys = await redis.raw.keys(`*${name}*`);
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const set = `earshot:{events-${partition}}:subscriptions`;
    if ((await redis.raw.sismember(set, name)) === 1) keys.push(set);
  }
  return keys;
}

/** In each partition there is one that knows it. */
async function isRegistered(name: string): Promise<boolean> {
  const sets = (await keysOf(name)).filter((key) => key.endsWith(':subscriptions'));
  return sets.length === PARTITIONS;
}

describe('subscriptions', () => {
  it('have a copy each of all events since they were registered', async () => {
    const publisher = await redis.publisher();
    publisher.publish(speech('c_1', 0));
    await publisher.flushed();
    const got: Record<string, number[]> = { default: [], early: [], late: [] };
    const listen = (subscription: string) =>
      redis.consumer((event) => void got[subscription]?.push(event.position), { subscription });
    await listen('default');
    await listen('early');
    publisher.publish(speech('c_1', 1));
    await publisher.flushed();
    await listen('late');
    publisher.publish(speech('c_1', 2));
    await until(() => Object.values(got).every((positions) => positions.includes(2)));
    expect(got).toEqual({ default: [0, 1, 2], early: [1, 2], late: [2] });
  });

  it('keep their events while nobody listens, until they are removed', async () => {
    const consumer = await redis.consumer(() => {}, { subscription: 'mine' });
    await consumer.close();
    const publisher = await redis.publisher({ maxBatch: 1 });
    await publishAll(
      publisher,
      [0, 1, 2].map((i) => speech('c_1', i)),
    );
    await publisher.flushed();
    const admin = await subscriptions();
    expect(await admin.list()).toContainEqual({
      name: 'mine',
      jobs: 3,
      deadLetters: 0,
      isEphemeral: false,
    });
    await admin.remove('mine');
    expect((await admin.list()).map(({ name }) => name)).toEqual(['default']);
    expect(await keysOf('mine')).toEqual([]);
    publisher.publish(speech('c_1', 3));
    await publisher.flushed();
    expect(await keysOf('mine')).toEqual([]);
  });

  it('named default ends when it is removed, and begins again with its next consumer', async () => {
    const publisher = await redis.publisher();
    const admin = await subscriptions();
    await publishAll(publisher, [speech('c_1', 0)]);
    await publisher.flushed();
    await admin.remove('default');
    expect(await admin.list()).toEqual([]);
    await publishAll(publisher, [speech('c_1', 1)]);
    await publisher.flushed();
    expect((await redis.raw.keys('*events-default*')).length).toBe(0);
    const got: number[] = [];
    await redis.consumer((event) => void got.push(event.position));
    expect((await admin.list()).map(({ name }) => name)).toEqual(['default']);
    await publishAll(publisher, [speech('c_1', 2)]);
    await until(() => got.includes(2));
    expect(got).toEqual([2]);
  });

  it('may begin before their first consumer', async () => {
    const admin = await subscriptions();
    await admin.add('later');
    const publisher = await redis.publisher();
    await publishAll(publisher, [speech('c_1', 0)]);
    await publisher.flushed();
    const got: number[] = [];
    await redis.consumer((event) => void got.push(event.position), { subscription: 'later' });
    await until(() => got.length === 1);
    await expect(admin.add('a b')).rejects.toMatchObject({ code: 'invalid_subscription' });
  });

  it('are registered again by their consumers when a part of Redis forgot them', async () => {
    const clock = new VirtualClock();
    const got: number[] = [];
    await redis.consumer((event) => void got.push(event.position), { subscription: 'mine', clock });
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      await redis.raw.del(`earshot:{events-${partition}}:subscriptions`);
    }
    clock.advance(10_000);
    await until(() => isRegistered('mine'));
    const publisher = await redis.publisher();
    await publishAll(publisher, [speech('c_1', 0)]);
    await until(() => got.length === 1);
  });

  it('have plain names', async () => {
    for (const subscription of ['', 'a:b', 'ä', 'x'.repeat(65)]) {
      await expect(redis.consumer(() => {}, { subscription })).rejects.toMatchObject({
        code: 'invalid_subscription',
      });
    }
  });

  it('named default is listed while the removal of it has not reached all partitions', async () => {
    const admin = await subscriptions();
    await admin.remove('default');
    expect(await admin.list()).toEqual([]);
    await redis.raw.srem('earshot:{events-3}:subscriptions', '!default');
    expect((await admin.list()).map(({ name }) => name)).toEqual(['default']);
  });

  it('leave nothing behind when removed while events are being published', async () => {
    const admin = await subscriptions();
    const publisher = await redis.publisher({ maxBatch: 3, batchWindowMs: 0 });
    for (let round = 0; round < 10; round += 1) {
      const name = `round-${round}`;
      const consumer = await redis.consumer(() => {}, { subscription: name });
      await consumer.close();
      const publishing = publishAll(
        publisher,
        Array.from({ length: 300 }, (_, i) => speech(`c_${i}`, round)),
      );
      await admin.remove(name);
      await publishing;
      await publisher.flushed();
      expect(await keysOf(name)).toEqual([]);
    }
  });
});

describe('an ephemeral subscription', () => {
  const isEphemeral = true;

  it('ends with its consumer', async () => {
    const got: number[] = [];
    const options = { subscription: 'mine', isEphemeral };
    const consumer = await redis.consumer((event) => void got.push(event.position), options);
    const publisher = await redis.publisher();
    await publishAll(publisher, [speech('c_1', 0)]);
    await until(() => got.length === 1);
    await consumer.close();
    expect((await keysOf('mine')).filter((key) => !key.includes(':handled:'))).toEqual([]);
    expect(await redis.raw.zcard('earshot:ephemeral-subscriptions')).toBe(0);
  });

  it('is removed by others when its consumer tells no longer that it lives', async () => {
    const name = 'orphan';
    await redis.raw.zadd('earshot:ephemeral-subscriptions', 1, name);
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      await redis.raw.sadd(`earshot:{events-${partition}}:subscriptions`, name);
    }
    const publisher = await redis.publisher();
    await publishAll(publisher, [speech('c_1', 0)]);
    await publisher.flushed();
    expect((await keysOf(name)).length).toBeGreaterThan(PARTITIONS);
    const clock = new VirtualClock();
    const living = { subscription: 'living', isEphemeral, clock };
    const consumer = await redis.consumer(() => {}, living);
    clock.advance(10_000);
    await until(async () => (await keysOf(name)).length === 0);
    const ephemeral = () => redis.raw.zrange('earshot:ephemeral-subscriptions', '0', '-1');
    await until(async () => !(await ephemeral()).includes(name));
    expect(await ephemeral()).toEqual(['living']);
    await consumer.close();
  });

  it('is judged by no consumer that was away itself, before all could tell that they live', async () => {
    const clock = new VirtualClock();
    await redis.consumer(() => {}, { subscription: 'judge', clock });
    const forget = () =>
      Promise.all(
        Array.from({ length: PARTITIONS }, (_, partition) =>
          redis.raw.del(`earshot:{events-${partition}}:subscriptions`),
        ),
      );
    await forget();
    await redis.raw.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(() => isRegistered('judge'));
    await redis.raw.zadd('earshot:ephemeral-subscriptions', 1, 'orphan');
    await forget();
    clock.advance(10_000);
    await until(() => isRegistered('judge'));
    const ephemeral = () => redis.raw.zrange('earshot:ephemeral-subscriptions', '0', '-1');
    expect(await ephemeral()).toEqual(['orphan']);
    clock.advance(10_000);
    await until(async () => (await ephemeral()).length === 0);
  });

  it('is removed by publishers, too', async () => {
    await redis.raw.zadd('earshot:ephemeral-subscriptions', 1, 'orphan');
    await redis.raw.sadd('earshot:{events-0}:subscriptions', 'orphan');
    const clock = new VirtualClock();
    await redis.publisher({ clock });
    clock.advance(10_000);
    await until(async () => (await keysOf('orphan')).length === 0);
    await until(async () => (await redis.raw.exists('earshot:ephemeral-subscriptions')) === 0);
  });

  it('is judged by no publisher that was away itself, either', async () => {
    const clock = new VirtualClock();
    const publisher = await redis.publisher({ clock });
    await redis.raw.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(() => !publisher.stats.redisUp);
    await until(() => publisher.stats.redisUp);
    const set = 'earshot:{events-0}:subscriptions';
    await redis.raw.zadd('earshot:ephemeral-subscriptions', 1, 'orphan');
    await redis.raw.sadd(set, 'orphan');
    clock.advance(10_000);
    // By the publisher's own connection, whose answers come in order: a sweep would be further by then.
    for (let steps = 0; steps < 10; steps += 1) await publisher.counts('c_1');
    expect(await redis.raw.smembers(set)).toEqual(['orphan']);
    clock.advance(10_000);
    await until(async () => (await redis.raw.exists(set)) === 0);
    await until(async () => (await redis.raw.exists('earshot:ephemeral-subscriptions')) === 0);
  });

  it('lives as long as its consumer tells so, and comes back when it was gone', async () => {
    const clock = new VirtualClock();
    const got: number[] = [];
    await redis.consumer((event) => void got.push(event.position), {
      subscription: 'mine',
      isEphemeral,
      clock,
    });
    const key = 'earshot:ephemeral-subscriptions';
    const first = Number(await redis.raw.zscore(key, 'mine'));
    await (await subscriptions()).remove('mine');
    await redis.raw.del(key);
    clock.advance(10_000);
    await until(async () => Number(await redis.raw.zscore(key, 'mine')) >= first);
    await until(() => isRegistered('mine'));
    const publisher = await redis.publisher();
    await publishAll(publisher, [speech('c_1', 0)]);
    await until(() => got.length === 1);
  });

  it('has a name of its own', async () => {
    await expect(redis.consumer(() => {}, { isEphemeral })).rejects.toMatchObject({
      code: 'invalid_subscription',
    });
  });
});
