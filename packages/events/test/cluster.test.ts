import { systemClock } from '@earshot/async/system';
import type { ClusterNode, TestCluster } from '@earshot/test-kit';
import { startTestCluster } from '@earshot/test-kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EarshotEvent } from '../src/event.js';
import { EventConsumer } from '../src/event-consumer.js';
import { eventCounts } from '../src/event-counts.js';
import { EventPublisher } from '../src/event-publisher.js';
import { Names } from '../src/names.js';
import { PARTITIONS } from '../src/partition.js';
import { Subscriptions } from '../src/subscriptions.js';
import { publishAll, speech, until } from './support.js';

const CALLS = Array.from({ length: 16 }, (_, i) => `c_${i}`);
const EVENTS = 100;

let cluster: TestCluster;
let open: { close(): Promise<void> }[];

beforeEach(async () => {
  cluster = await startTestCluster({ replicas: 1, nodeTimeoutMs: 1_000 });
  open = [];
});

afterEach(async () => {
  await Promise.all(open.map((each) => each.close()));
  await cluster.close();
});

async function publisher(redisUrl = cluster.url): Promise<EventPublisher> {
  const opened = new EventPublisher({ redisUrl, clock: systemClock });
  open.push(opened);
  await opened.ready();
  return opened;
}

async function consumer(subscription: string, got: EarshotEvent[]): Promise<void> {
  const opened = new EventConsumer({
    redisUrl: cluster.url,
    clock: systemClock,
    subscription,
    handler: (event) => void got.push(event),
  });
  open.push(opened);
  await opened.start();
}

function events(): EarshotEvent[] {
  return Array.from({ length: EVENTS }, (_, position) =>
    CALLS.map((callId) => speech(callId, position)),
  ).flat();
}

/** Each event once, in order per call. */
function expectAll(got: readonly EarshotEvent[]): void {
  for (const callId of CALLS) {
    const positions = got.filter((each) => each.callId === callId).map((each) => each.position);
    expect(positions).toEqual(Array.from({ length: EVENTS }, (_, i) => i));
  }
}

describe('on a Redis Cluster', () => {
  it('the partitions are spread, and each subscription gets every event in order', async () => {
    const names = new Names('earshot');
    const owners = new Set<number>();
    for (let partition = 0; partition < PARTITIONS; partition += 1) {
      owners.add((await cluster.ownerOf(names.partition(partition))).port);
    }
    expect(owners.size).toBe(3);

    const [mine, other]: EarshotEvent[][] = [[], []];
    await Promise.all([consumer('default', mine ?? []), consumer('other', other ?? [])]);
    const [a, b] = await Promise.all([publisher(), publisher()]);
    await Promise.all([
      publishAll(
        a,
        events().filter(({ callId }) => CALLS.indexOf(callId) < 8),
      ),
      publishAll(
        b,
        events().filter(({ callId }) => CALLS.indexOf(callId) >= 8),
      ),
    ]);
    await until(() => mine?.length === CALLS.length * EVENTS && other?.length === mine.length);
    expectAll(mine ?? []);
    expectAll(other ?? []);
    expect(await eventCounts(cluster.url, 'c_3')).toEqual({ published: EVENTS });
    expect(await a.claim('c_3', 7)).toBe('ok');
    expect(await b.claim('c_3', 6)).toBe('stale');
  });

  it('a master that dies is replaced by its replica, and everything goes on', async () => {
    const got: EarshotEvent[] = [];
    await consumer('default', got);
    const a = await publisher();
    const all = events();
    const first = all.slice(0, all.length / 2);
    await publishAll(a, first);
    await a.flushed();
    await until(() => got.length === first.length);
    // All is said of them, too: the consumer is waiting for more when the master dies.
    const admin = new Subscriptions({ redisUrl: cluster.url });
    open.push(admin);
    await admin.ready();
    await until(async () => (await admin.list()).every(({ jobs }) => jobs === 0));
    const names = new Names('earshot');
    const victim = await cluster.ownerOf(names.partition(0));
    await victim.killInSync();
    await publishAll(a, all.slice(first.length));
    await a.flushed();
    await until(() => new Set(got.map(({ id }) => id)).size === all.length);
    expectAll(got);
    expect((await cluster.ownerOf(names.partition(0))).port).not.toBe(victim.port);
  });
});

describe('with minReplicas', () => {
  it('nothing that was accepted is lost when a master dies in the middle of it', async () => {
    const got: EarshotEvent[] = [];
    await consumer('default', got);
    const a = await publisher(`${cluster.url}?minReplicas=1`);
    const all = events();
    let victim: ClusterNode | undefined;
    for (const [index, event] of all.entries()) {
      await publishAll(a, [event]);
      if (index % 40 === 0) await a.flushed();
      if (index < all.length / 2 || victim !== undefined) continue;
      victim = await cluster.ownerOf(new Names('earshot').partition(0));
      await victim.kill();
      // Its replica is master then, and needs one itself.
      await until(
        async () => (await cluster.ownerOf(new Names('earshot').partition(0))) !== victim,
      );
      await victim.restart();
    }
    await a.flushed();
    await until(() => new Set(got.map(({ id }) => id)).size === all.length);
    // What the consumer said in its last moment may be lost with the master: then it comes again.
    const seen = new Set<string>();
    expectAll(got.filter(({ id }) => !seen.has(id) && seen.add(id)));
    for (const callId of CALLS) {
      expect(await a.counts(callId)).toEqual({ published: EVENTS });
    }
  });
});

describe('without any node of a cluster', () => {
  it('everything says so at the start, and publishing fails fast', async () => {
    const url = 'redis+cluster://127.0.0.1:1,127.0.0.1:2';
    const errors: unknown[] = [];
    const opened = new EventPublisher({
      redisUrl: url,
      clock: systemClock,
      onError: (error) => errors.push(error),
    });
    open.push(opened);
    await expect(opened.ready()).rejects.toMatchObject({ code: 'redis_unreachable' });
    expect(opened.publish(speech('c_1', 0))).toBe(true);
    await until(() => errors.length > 0);
    expect(opened.stats).toMatchObject({ waiting: 1, redisUp: false });
    await opened.close({ deadlineMs: 10 });
  });
});
