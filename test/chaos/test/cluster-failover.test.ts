import { setTimeout as sleep } from 'node:timers/promises';
import type { TestCluster } from '@earshot/test-kit';
import { startTestCluster } from '@earshot/test-kit';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Deployment, totalsOf, writeMeeting } from '../dist/deployment.js';
import type { Undisturbed } from './intact.js';
import { expectIntact, undisturbed } from './intact.js';

const CALLS = 8;
const POLL_MS = 20;
const DURATION_MS = 14_000;
const MEETING = {
  durationMs: DURATION_MS,
  participants: {
    ada: {
      tones: Array.from({ length: 24 }, (_, n) => ({
        digit: '9' as const,
        startMs: 1_000 + n * 500,
        durationMs: 200,
      })),
    },
    bob: { speech: [{ startMs: 2_000, endMs: 12_000 }] },
  },
};

let meetingFolder: string;
let cluster: TestCluster;
let deployment: Deployment;
let expected: Undisturbed;

beforeAll(async () => {
  meetingFolder = await writeMeeting(MEETING);
  expected = await undisturbed(meetingFolder);
});

afterEach(async () => {
  await deployment.close();
  await cluster.close();
});

describe('a master of a Redis Cluster that fails over', () => {
  it.each([
    ['leases and workers', '{workers}'],
    ['a partition of events', '{events-0}'],
  ])('with %s on it, loses and doubles nothing of calls in progress', async (_, slot) => {
    cluster = await startTestCluster({ replicas: 1, nodeTimeoutMs: 1_000 });
    deployment = await Deployment.start({ meetingFolder, redisUrl: cluster.url, workers: 2 });
    const calls = await Promise.all(Array.from({ length: CALLS }, () => deployment.join()));
    const isHeard = (callId: string) => deployment.of(callId, 'tone.detected').length > 1;
    await deployment.until(() => calls.every(isHeard));
    const master = await cluster.ownerOf(slot);
    await master.killInSync();
    const killedAtMs = performance.now();
    while ((await cluster.ownerOf(slot)) === master) await sleep(POLL_MS);
    await cluster.untilServing();
    console.info(`the cluster served again after ${Math.round(performance.now() - killedAtMs)} ms`);
    await Promise.all(calls.map((callId) => deployment.ended(callId)));

    expectIntact(deployment, calls, expected);
    for (const callId of calls) {
      expect(totalsOf(deployment.events, callId)).toEqual(expected.totals);
    }
  });
});
