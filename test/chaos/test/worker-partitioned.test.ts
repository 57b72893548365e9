import { setTimeout as sleep } from 'node:timers/promises';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CuttingProxy,
  Deployment,
  StallingProxy,
  totalsOf,
  writeMeeting,
} from '../dist/deployment.js';
import type { Undisturbed } from './intact.js';
import { expectIntact, undisturbed } from './intact.js';

/** Longer than a lease (15 s), and than a worker's heartbeat counts (10 s). */
const PARTITION_MS = 17_000;
const DURATION_MS = 26_000;
const MEETING = {
  durationMs: DURATION_MS,
  participants: {
    ada: {
      tones: Array.from({ length: 20 }, (_, n) => ({
        digit: '6' as const,
        startMs: 1_000 + n * 1_200,
        durationMs: 200,
      })),
    },
    bob: { speech: [{ startMs: 2_000, endMs: 24_000 }] },
  },
};

let meetingFolder: string;
let redis: TestRedis;
let toRedis: StallingProxy;
let toWorker: CuttingProxy;
let deployment: Deployment;
let expected: Undisturbed;
let callId: string;

beforeAll(async () => {
  meetingFolder = await writeMeeting(MEETING);
  expected = await undisturbed(meetingFolder);
});

beforeEach(async () => {
  redis = await startTestRedis({ persistent: true });
  toRedis = await StallingProxy.start(redis.url);
  toWorker = await CuttingProxy.start();
  deployment = await Deployment.start({ meetingFolder, redisUrl: redis.url });
  const apart = await deployment.addWorker({
    REDIS_URL: toRedis.path,
    EARSHOT_ADVERTISED_URL: `ws://${toWorker.address}/v1/media-link`,
  });
  toWorker.target = { host: '127.0.0.1', port: Number(new URL(apart.text('url')).port) };
  callId = await deployment.join();
  await deployment.addWorker();
  await deployment.until(() => deployment.of(callId, 'tone.detected').length > 1);
});

afterEach(async () => {
  await deployment.close();
  await Promise.all([toRedis.close(), toWorker.close()]);
  await redis.close();
});

describe('a worker that does not reach Redis for longer than its lease', () => {
  it('goes on with its call, and tells afterwards what it heard', async () => {
    toRedis.stall(true);
    await sleep(PARTITION_MS);
    toRedis.stall(false);
    await deployment.ended(callId);

    expectIntact(deployment, [callId], expected);
    expect(totalsOf(deployment.events, callId)).toEqual(expected.totals);
    expect(deployment.of(callId, 'media.started')).toHaveLength(1);
  });

  it('is followed by another when its host loses it too, and doubles nothing', async () => {
    const [apart] = deployment.workers;
    toRedis.stall(true);
    const healed = sleep(PARTITION_MS);
    await sleep(PARTITION_MS / 4);
    toWorker.refuse(true);
    await deployment.until(() => deployment.of(callId, 'media.started').length > 1);
    toWorker.refuse(false);
    await healed;
    toRedis.stall(false);
    if (apart !== undefined) await deployment.workerIsFree(apart);
    await deployment.ended(callId);
    apart?.signal('SIGTERM');
    expect(await apart?.exited).toBe(0);
    await deployment.delivered(callId);

    expectIntact(deployment, [callId], expected);
    expect(deployment.of(callId, 'media.gap')).toEqual([]);
  });
});
