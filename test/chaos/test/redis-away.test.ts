import { setTimeout as sleep } from 'node:timers/promises';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deployment, totalsOf, writeMeeting } from '../dist/deployment.js';
import type { Undisturbed } from './intact.js';
import { expectIntact, undisturbed } from './intact.js';

const AWAY_MS = 30_000;
const CALLS = 4;
const DURATION_MS = AWAY_MS + 10_000;
/** What waits for Redis must not be seen in memory; this is what collecting garbage may leave. */
const GROWTH_BYTES = 64 * 1024 * 1024;
const MEETING = {
  durationMs: DURATION_MS,
  participants: {
    ada: {
      tones: Array.from({ length: (DURATION_MS - 2_000) / 1_000 }, (_, n) => ({
        digit: '8' as const,
        startMs: 1_000 + n * 1_000,
        durationMs: 200,
      })),
    },
    bob: { speech: [{ startMs: 1_500, endMs: DURATION_MS - 2_000 }] },
  },
};

let redis: TestRedis;
let deployment: Deployment;
let expected: Undisturbed;

beforeAll(async () => {
  const meetingFolder = await writeMeeting(MEETING);
  // What Redis has answered it has on disk: what it then lost would be ours.
  redis = await startTestRedis({ persistent: 'always' });
  [expected, deployment] = await Promise.all([
    undisturbed(meetingFolder),
    Deployment.start({ meetingFolder, redisUrl: redis.url, workers: 1 }),
  ]);
});

afterAll(async () => {
  await deployment.close();
  await redis.close();
});

describe('Redis killed, and away for 30 s', () => {
  it('delays events and loses none; calls go on, and nothing grows', async () => {
    const calls = await Promise.all(Array.from({ length: CALLS }, () => deployment.join()));
    const isHeard = (callId: string) => deployment.of(callId, 'tone.detected').length > 1;
    await deployment.until(() => calls.every(isHeard));
    const services = [...deployment.workers, deployment.signaling];
    const before = await Promise.all(services.map((service) => service.memory()));
    await redis.kill();
    await sleep(AWAY_MS);
    await redis.restart();
    const after = await Promise.all(services.map((service) => service.memory()));
    await Promise.all(calls.map((callId) => deployment.ended(callId)));

    expectIntact(deployment, calls, expected);
    for (const callId of calls) {
      expect(totalsOf(deployment.events, callId)).toEqual(expected.totals);
      expect(deployment.of(callId, 'media.started')).toHaveLength(1);
    }
    const grownBytes = after.map(({ peakBytes }, i) => peakBytes - (before[i]?.residentBytes ?? 0));
    console.info(`worker and signaling grew by ${grownBytes.join(' and ')} bytes meanwhile`);
    expect(Math.max(...grownBytes)).toBeLessThan(GROWTH_BYTES);
  });
});
