import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import { VirtualClock } from '@earshot/async';
import type { EarshotEvent } from '@earshot/events';
import { RecentEvents } from '@earshot/events';
import { connect as connectRedis, createClient, disconnect } from '@earshot/redis-client';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EventHub } from '../src/taps/event-hub.js';
import { StreamClient } from './support/event-stream.js';

const WAIT = { timeout: 40_000, interval: 5 };
const WINDOW = 100;
const FILLER = 'x'.repeat(32_000);

function event(position: number): EarshotEvent {
  return {
    ...{ version: 1, id: `e${position}`, type: 'speech.started', callId: 'c_1', epoch: 1 },
    ...{ source: 'media', position, mediaTimeMs: 0, wallclock: '2026-11-23T20:00:00.000Z' },
    participant: { id: 'p', displayName: FILLER },
    ...{ sourceId: null, data: { startMs: position } },
  };
}

describe('the hub of live streams', () => {
  let redis: TestRedis;
  let recent: RecentEvents;
  let hub: EventHub;
  let server: Server;
  /** Stands still: nobody is turned away, or cut off, for being slow on a slow machine. */
  const clock = new VirtualClock();
  const ended: string[] = [];
  const failures: unknown[] = [];

  beforeAll(async () => {
    redis = await startTestRedis();
    recent = new RecentEvents({ redisUrl: redis.url, capacity: WINDOW });
    await recent.ready();
    hub = new EventHub({
      ...{ recent, clock, maxStreams: 10, windowEvents: WINDOW },
      onEnded: (end) => ended.push(end),
      onError: (error) => failures.push(error),
    });
    server = createServer((request, response) => {
      const seen = request.headers['last-event-id'];
      void hub.open({
        callId: undefined,
        types: undefined,
        lastEventId: typeof seen === 'string' ? seen : undefined,
        begin: () => response.writeHead(200, { 'content-type': 'text/event-stream' }),
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterAll(async () => {
    hub.close();
    server.closeAllConnections();
    server.close();
    await recent.close();
    await redis.close();
  });

  function port(): number {
    return (server.address() as AddressInfo).port;
  }

  it('ends the one that takes too little, and only that one', async () => {
    const slow: Socket = connect(port(), '127.0.0.1');
    slow.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(slow, 'readable');
    const quick = await StreamClient.open(`http://127.0.0.1:${port()}/`);
    await vi.waitUntil(() => hub.streams === 2, WAIT);
    let count = 0;
    for (; ended.length === 0; count += 1) {
      await recent.append(event(count));
      // As fast as the quick one takes them.
      await vi.waitUntil(() => quick.events.length > count - WINDOW / 2, WAIT);
    }
    expect(ended).toEqual(['slow']);
    await vi.waitUntil(() => quick.events.length === count, WAIT);
    expect(quick.positions).toEqual(Array.from({ length: count }, (_, i) => i));

    // It reads at last what was written before, and why it ended.
    const closed = once(slow, 'close');
    slow.resume();
    await closed;
    quick.close();
    await vi.waitUntil(() => hub.streams === 0, WAIT);
    expect(failures).toEqual([]);
  });

  it('begins anew for whoever comes after all have left', async () => {
    await vi.waitUntil(() => hub.streams === 0, WAIT);
    const client = await StreamClient.open(`http://127.0.0.1:${port()}/`, 'unknown');
    await vi.waitUntil(() => client.events.length > 1, WAIT);
    expect(client.events[0]?.event).toBe('stream.reset');
    await recent.append(event(1_000_000));
    await recent.append(event(1_000_000));
    await recent.append(event(1_000_001));
    await vi.waitUntil(() => client.positions.includes(1_000_001), WAIT);
    expect(client.positions.slice(-2)).toEqual([1_000_000, 1_000_001]);
    client.close();
  });

  it('ends all streams when events were missed', async () => {
    await vi.waitUntil(() => hub.streams === 0, WAIT);
    const client = await StreamClient.open(`http://127.0.0.1:${port()}/`);
    await vi.waitUntil(() => hub.streams === 1, WAIT);
    ended.length = 0;
    const raw = createClient(redis.url, { maxRetriesPerRequest: 1 });
    await connectRedis(raw);
    // In one step: as if a whole stream of events came and went while the reader was away.
    const transaction = raw
      .multi()
      .xadd('earshot:recent-events', '9999999999998-0', 'event', '{}')
      .xtrim('earshot:recent-events', 'MAXLEN', 0);
    for (let n = 0; n < 500; n += 1) {
      const text = JSON.stringify({ ...event(2_000_000 + n), participant: null });
      transaction.xadd('earshot:recent-events', `9999999999999-${n}`, 'event', text);
    }
    await transaction.exec();
    await vi.waitUntil(() => ended.length === 1, WAIT);
    expect(ended).toEqual(['slow']);
    client.close();
    await raw.del('earshot:recent-events');
    await disconnect(raw);
    failures.length = 0;
  });

  it('says so when Redis is away, instead of waiting', async () => {
    await vi.waitUntil(() => hub.streams === 0, WAIT);
    await redis.close();
    const opening = hub.open({
      ...{ callId: undefined, types: undefined, lastEventId: undefined },
      begin: () => expect.unreachable(),
    });
    clock.advance(2_000);
    await expect(opening).rejects.toMatchObject({ code: 'redis_unreachable' });
    expect(hub.streams).toBe(0);
  });
});
