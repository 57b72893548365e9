import { VirtualClock } from '@earshot/async';
import { initialCallModel, parseParticipant, reduceCall } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import { Registry } from '@earshot/registry';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SourceBinder } from '../src/calls/source-binder.js';
import type { Attendee } from './support/notifications.js';
import { participantEntry } from './support/notifications.js';

const MINUTE_MS = 60_000;

describe('sources of a call', () => {
  let redis: TestRedis;
  let registry: Registry;
  const clock = new VirtualClock();

  beforeAll(async () => {
    redis = await startTestRedis();
    registry = new Registry({ redisUrl: redis.url, clock });
    await registry.ready();
  });

  afterAll(async () => {
    await registry.close();
    await redis.close();
  });

  function record(callId: string, attendees: readonly Attendee[]): CallRecord {
    const { model } = reduceCall(initialCallModel, {
      kind: 'roster',
      changeType: 'updated',
      graphCallId: 'g',
      participants: attendees.flatMap((one) => parseParticipant(participantEntry(one)) ?? []),
    });
    return {
      callId,
      version: 0,
      createdAtMs: 0,
      joinUrl: '',
      tenantId: 't',
      attemptKey: 'k',
      model,
      signalingPosition: 0,
    };
  }

  const ada: Attendee = { id: 'p-ada', name: 'Ada', sourceId: '11' };
  const bob: Attendee = { id: 'p-bob', name: 'Bob', sourceId: '12' };

  it('are given to others in time, whichever process tells', async () => {
    const [first, second] = [
      new SourceBinder({ registry, clock }),
      new SourceBinder({ registry, clock }),
    ];
    const startMs = clock.wallclockMs();
    await first.bind(record('c_1', [ada, bob]));
    clock.advance(MINUTE_MS);
    await second.bind(record('c_1', [bob]));
    clock.advance(MINUTE_MS);
    // The second process never saw Ada leave; Bob has her source now.
    await second.bind(record('c_1', [{ ...bob, sourceId: '11' }]));
    const nowMs = clock.wallclockMs();
    const who = async (atMs: number) =>
      (await registry.participantOfSource('c_1', '11', atMs))?.displayName;
    expect(await who(startMs)).toBe('Ada');
    expect(await who(nowMs - 1)).toBe('Ada');
    expect(await who(nowMs)).toBe('Bob');
    expect(await registry.participantOfSource('c_1', '12', nowMs + MINUTE_MS)).toBeUndefined();
    // The first one comes back with the same news, and changes nothing.
    clock.advance(MINUTE_MS);
    await first.bind(record('c_1', [{ ...bob, sourceId: '11' }]));
    expect(await who(nowMs)).toBe('Bob');
    expect(await who(nowMs - 1)).toBe('Ada');
  });

  it('of a thousand participants are all told', async () => {
    const attendees = Array.from({ length: 1000 }, (_, n) => ({
      id: `p-${n}`,
      name: `Person ${n}`,
      sourceId: `${n + 1}`,
    }));
    const binder = new SourceBinder({ registry, clock });
    await binder.bind(record('c_2', attendees));
    const ids = attendees.map(({ sourceId }) => sourceId);
    const owners = await registry.sourceOwners('c_2', ids);
    expect([...owners.values()].map(([span]) => span?.participantId)).toEqual(
      attendees.map(({ id }) => id),
    );
    expect(await registry.unmuted('c_2')).toBe(1000);
  });
});
