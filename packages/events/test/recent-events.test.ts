import { describe, expect, it, onTestFinished } from 'vitest';
import { RecentEvents } from '../src/recent-events.js';
import { speech, useRedis } from './support.js';

const redis = useRedis({ persistent: 'always' });

async function open(capacity = 10_000): Promise<RecentEvents> {
  const recent = new RecentEvents({ redisUrl: redis.server.url, capacity });
  onTestFinished(() => recent.close());
  await recent.ready();
  return recent;
}

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

describe('recent events', () => {
  it('are the newest, oldest first, however many pages they take', async () => {
    const recent = await open(1_500);
    await Promise.all(upTo(2_500).map((n) => recent.append(speech('c_1', n))));
    for (const limit of [1, 499, 500, 501, 1_200]) {
      const { events } = await recent.newest(limit);
      expect(events.map(({ position }) => position)).toEqual(
        upTo(limit).map((i) => 2_500 - limit + i),
      );
    }
    const kept = await recent.newest(10_000);
    // Redis trims whole nodes of its stream.
    expect(kept.events.length).toBeGreaterThanOrEqual(1_500);
    expect(kept.events.length).toBeLessThan(2_000);
    expect(await redis.raw.pttl('earshot:recent-events')).toBeGreaterThan(3_500_000);
  });

  it('go on after a page, waiting for what comes, for a while', async () => {
    const [writer, reader] = [await open(), await open()];
    const none = await reader.newest(10);
    expect(none).toEqual({ events: [], cursor: '0-0' });
    const coming = reader.after(none.cursor, 10, 20_000);
    await writer.append(speech('c_1', 0));
    const first = await coming;
    expect(first.events).toEqual([speech('c_1', 0)]);
    await writer.append(speech('c_1', 1));
    expect((await reader.after(first.cursor, 10, 20_000)).events).toEqual([speech('c_1', 1)]);
    const { cursor } = await reader.newest(10);
    expect(await reader.after(cursor, 10, 1)).toEqual({ events: [], cursor });
  });

  it('are of the last hour', async () => {
    const recent = await open();
    const hourAgoMs = Date.now() - 3_600_000;
    const old = ['event', JSON.stringify(speech('c_1', 0))] as const;
    await redis.raw.xadd('earshot:recent-events', `${hourAgoMs - 60_000}-0`, ...old);
    const young = ['event', JSON.stringify(speech('c_1', 1))] as const;
    await redis.raw.xadd('earshot:recent-events', `${hourAgoMs + 600_000}-0`, ...young);
    await recent.append(speech('c_1', 2));
    const { events } = await recent.newest(10);
    expect(events.map(({ position }) => position)).toEqual([1, 2]);
  });

  it('leave out what is no event of this version, and outlive Redis being away', async () => {
    const recent = await open();
    await redis.raw.xadd('earshot:recent-events', '*', 'event', '{"type":"new.type"}');
    await redis.raw.xadd('earshot:recent-events', '*', 'event', 'no JSON');
    await redis.server.kill();
    const appended = recent.append(speech('c_1', 0));
    await redis.server.restart();
    await appended;
    expect((await recent.newest(10)).events).toEqual([speech('c_1', 0)]);
  });
});
