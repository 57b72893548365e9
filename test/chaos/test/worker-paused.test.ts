import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deployment, writeMeeting } from '../dist/deployment.js';
import type { Undisturbed } from './intact.js';
import { expectIntact, undisturbed } from './intact.js';

/** A worker's lease of a call. */
const LEASE_MS = 15_000;
const DURATION_MS = 34_000;
/** What waits in the worker's socket when it is stopped has tones in it, which it finds too late. */
const MEETING = {
  durationMs: DURATION_MS,
  participants: {
    ada: {
      tones: Array.from({ length: 60 }, (_, n) => ({
        digit: '4' as const,
        startMs: 1_000 + n * 500,
        durationMs: 200,
      })),
    },
    bob: { speech: [{ startMs: 1_500, endMs: 32_000 }] },
  },
};

let deployment: Deployment;
let expected: Undisturbed;

beforeAll(async () => {
  const meetingFolder = await writeMeeting(MEETING);
  [expected, deployment] = await Promise.all([
    undisturbed(meetingFolder),
    Deployment.start({ meetingFolder, workers: 2 }),
  ]);
});

afterAll(() => deployment.close());

describe('a worker that stands still for longer than its lease, and goes on', () => {
  it('has lost its call to another, doubles nothing, and lets go', async () => {
    const callId = await deployment.join();
    await deployment.until(() => deployment.of(callId, 'tone.detected').length >= 4);
    const zombie = await deployment.workerOf(callId);
    zombie.signal('SIGSTOP');
    const leaseIsOver = sleep(LEASE_MS + 1_000);
    const isElsewhere = () => deployment.of(callId, 'media.started').length > 1;
    await Promise.all([leaseIsOver, deployment.until(isElsewhere)]);
    expect(await deployment.workerOf(callId)).not.toBe(zombie);
    zombie.signal('SIGCONT');
    await deployment.workerIsFree(zombie);
    // At least what it had to say of its end.
    const fenced = (await deployment.workerMetrics(zombie)).get('earshot_events_fenced_total');
    expect(fenced).toBeGreaterThanOrEqual(3);
    await deployment.ended(callId);
    // Whatever it still holds it publishes before it exits.
    zombie.signal('SIGTERM');
    expect(await zombie.exited).toBe(0);
    await deployment.delivered(callId);

    expectIntact(deployment, [callId], expected);
    expect(deployment.of(callId, 'media.gap')).toEqual([]);
    const epochs = deployment.of(callId, 'media.started').map(({ epoch }) => epoch);
    expect(epochs).toEqual([1, 2]);
    const stopped = deployment.of(callId, 'media.stopped').map(({ epoch }) => epoch);
    expect(stopped).toEqual([2]);
  });
});
