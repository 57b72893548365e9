import { VirtualClock } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { EarshotEvent } from '@earshot/events';
import { EventPublisher } from '@earshot/events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StreamClient } from './support/event-stream.js';
import type { Problem } from './support/harness.js';
import { Harness } from './support/harness.js';

const WAIT = { timeout: 40_000, interval: 5 };

let harness: Harness;
let publisher: EventPublisher;
let clients: StreamClient[];

beforeEach(async () => {
  clients = [];
  harness = await Harness.open();
  publisher = new EventPublisher({ redisUrl: harness.redis.url, clock: systemClock });
  await publisher.ready();
});

afterEach(async () => {
  for (const client of clients) client.close();
  await publisher.close();
  await harness.close();
});

function event(callId: string, position: number): EarshotEvent {
  return {
    ...{ version: 1, id: `${callId}/${position}`, type: 'speech.started', callId, epoch: 1 },
    ...{ source: 'media', position, mediaTimeMs: 0, wallclock: '2026-11-23T20:00:00.000Z' },
    ...{ participant: null, sourceId: null, data: { startMs: position } },
  };
}

async function publish(events: readonly EarshotEvent[]): Promise<void> {
  for (const each of events) {
    while (!publisher.publish(each)) await publisher.flushed();
  }
  await publisher.flushed();
}

/** Opens a stream; comes back when Redis took too long to answer. */
async function open(path: string, lastEventId?: string): Promise<StreamClient> {
  return vi.waitUntil(async () => {
    const client = await StreamClient.open(harness.signaling.url + path, lastEventId);
    clients.push(client);
    return client.status === 503 ? undefined : client;
  }, WAIT);
}

function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}

describe('live events', () => {
  it('come as they are found, of all calls or of one, with id and type', async () => {
    await harness.start();
    await harness.host();
    const { id } = (await harness.join()).body;
    const [all, one] = [await open('/v1/events'), await open(`/v1/calls/${id}/events`)];
    await publish([event('c_other', 0), event(id, 0), event('c_other', 1)]);
    await vi.waitUntil(() => all.events.some((each) => each.id === 'c_other/1'), WAIT);
    await vi.waitUntil(() => one.events.some((each) => each.id === `${id}/0`), WAIT);
    expect(one.events.every(({ data }) => data.callId === id)).toBe(true);
    const mine = one.events.find((each) => each.id === `${id}/0`);
    expect(mine).toMatchObject({ event: 'speech.started', data: event(id, 0) });
    expect(all.events.filter(({ data }) => data.callId === 'c_other')).toHaveLength(2);
  });

  it('are of the types that are asked for', async () => {
    await harness.start();
    const words: EarshotEvent = {
      ...event('c_1', 1),
      type: 'transcript.skipped',
      data: {
        ...{ utteranceId: 'u', task: 'dictation', startMs: 0, endMs: 1 },
        ...{ reason: 'overCapacity', engine: null },
      },
    };
    const all = await open('/v1/events?types=transcript.*,speech.started');
    const some = await open('/v1/events?types=transcript.*');
    await publish([event('c_1', 0), words, event('c_1', 2)]);
    await vi.waitUntil(() => all.positions.includes(2), WAIT);
    await vi.waitUntil(() => some.positions.includes(1), WAIT);
    expect(all.positions).toEqual([0, 1, 2]);
    expect(some.positions).toEqual([1]);
    // Where it was left, with the same question, it goes on.
    const again = await open('/v1/events?types=transcript.*', 'c_1/0');
    await vi.waitUntil(() => again.positions.length > 0, WAIT);
    expect(again.positions).toEqual([1]);
    for (const types of ['transcript', 'transcripts.*', '*', '']) {
      const answer = await harness.get<Problem>(`/v1/events?types=${types}`);
      expect(answer.body, types).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(answer.body.detail).toContain(`got ${JSON.stringify(types)}`);
    }
    // Else a filter that is misspelt would let everything through.
    expect((await harness.get<Problem>('/v1/events?type=transcript.final')).status).toBe(400);
  });

  it('go on after the event that was seen last, on another process as well', async () => {
    await harness.start();
    const first = await open('/v1/events');
    await publish(upTo(10).map((n) => event('c_1', n)));
    await vi.waitUntil(() => first.events.length === 10, WAIT);
    first.close();
    await publish(upTo(10).map((n) => event('c_1', n + 10)));
    await harness.stop();
    await harness.start();
    const again = await open('/v1/events', 'c_1/6');
    await publish([event('c_1', 20)]);
    await vi.waitUntil(() => again.positions.includes(20), WAIT);
    expect(again.positions).toEqual(upTo(14).map((n) => n + 7));

    // One that nobody remembers: the client is told, and gets what there is.
    const lost = await open('/v1/events', 'c_1/unknown');
    await vi.waitUntil(() => lost.positions.includes(20), WAIT);
    expect(lost.events[0]).toMatchObject({
      ...{ id: undefined, event: 'stream.reset', data: { reason: 'lastEventIdUnknown' } },
    });
    expect(lost.positions.slice(1)).toEqual(upTo(21));
  });

  it('beat while nothing happens, and say so when the service stops', async () => {
    const clock = new VirtualClock(Date.now());
    await harness.start({ clock });
    const client = await open('/v1/events');
    clock.advance(15_000);
    await vi.waitUntil(() => client.comments.length === 1, WAIT);
    expect(client.comments).toEqual(['beat']);
    await harness.stop();
    await client.ended;
    expect(client.comments.at(-1)).toMatch(/^the service stops/);
  });

  it('are for holders of the key, for calls that exist, and for so many at a time', async () => {
    await harness.start({ environment: { EARSHOT_MAX_EVENT_STREAMS: '1' } });
    const unauthorized = await fetch(`${harness.signaling.url}/v1/events`);
    expect(unauthorized.status).toBe(401);
    const unknown = await harness.get<Problem>('/v1/calls/c_unknown/events');
    expect(unknown.body).toMatchObject({ status: 404, code: 'call_not_found' });
    const only = await open('/v1/events');
    const refused = await harness.get<Problem>('/v1/events');
    expect(refused.body).toMatchObject({ status: 503, code: 'too_many_event_streams' });
    only.close();
    await vi.waitUntil(async () => (await harness.metric('earshot_event_streams')) === 0, WAIT);
    expect((await open('/v1/events')).status).toBe(200);
  });
});
