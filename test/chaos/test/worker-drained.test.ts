import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ServiceChild } from '../dist/deployment.js';
import { Deployment, totalsOf, writeMeeting } from '../dist/deployment.js';
import type { Undisturbed } from './intact.js';
import { expectIntact, undisturbed } from './intact.js';

const CALLS = 20;
/** All calls are heard at once for a while, on a busy machine too. */
const DURATION_MS = 22_000;
const MEETING = {
  durationMs: DURATION_MS,
  participants: {
    ada: {
      speech: [{ startMs: 500, endMs: 19_000 }],
      tones: [{ digit: '3' as const, startMs: 20_000, durationMs: 120 }],
    },
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

/** Signaling may know it later than the first event is there. */
function workerOf(callId: string): Promise<ServiceChild> {
  return vi.waitFor(() => deployment.workerOf(callId), { timeout: DURATION_MS, interval: 50 });
}

describe('a worker that is told to stop', () => {
  it('leaves its calls to the others in the middle of speech, without a loss, and exits with 0', async () => {
    const calls = await Promise.all(Array.from({ length: CALLS }, () => deployment.join()));
    const isHeard = (callId: string) => deployment.of(callId, 'speech.started').length > 0;
    await deployment.until(() => calls.every(isHeard));
    const workers = await Promise.all(calls.map(workerOf));
    const callsOf = (worker: ServiceChild) => calls.filter((_, n) => workers[n] === worker);
    // Which worker takes how many depends on how busy each is: the one that has the most leaves.
    const moves = deployment.workers.map(callsOf).sort((a, b) => b.length - a.length)[0] ?? [];
    const leaving = workers[calls.indexOf(moves[0] ?? '')];
    const toldAtMs = performance.now();
    leaving?.signal('SIGTERM');
    expect(await leaving?.exited).toBe(0);
    const leftMs = performance.now() - toldAtMs;
    console.info(
      `a worker with ${moves.length} of ${CALLS} calls was gone after ${Math.round(leftMs)} ms`,
    );
    // Not because its calls were over: each of them went on elsewhere, as is seen below.
    expect(leftMs).toBeLessThan(DURATION_MS);
    await Promise.all(calls.map((callId) => deployment.ended(callId)));

    expectIntact(deployment, calls, expected);
    for (const callId of calls) {
      const stopped = deployment.of(callId, 'media.stopped').map(({ data }) => data.reason);
      expect(stopped).toEqual([...(moves.includes(callId) ? ['reattach'] : []), 'callEnded']);
      expect(totalsOf(deployment.events, callId)).toEqual(expected.totals);
    }
    expect((await deployment.hostMetrics()).get('earshot_sandbox_account_mismatches_total')).toBe(
      0,
    );
  });
});
