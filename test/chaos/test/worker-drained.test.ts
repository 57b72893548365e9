import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deployment, writeMeeting } from '../dist/deployment.js';

const CALLS = 4;
const DURATION_MS = 9_000;
const MEETING = {
  durationMs: DURATION_MS,
  participants: {
    ada: {
      speech: [{ startMs: 500, endMs: 6_500 }],
      tones: [{ digit: '3' as const, startMs: 7_500, durationMs: 120 }],
    },
  },
};

let deployment: Deployment;

beforeAll(async () => {
  deployment = await Deployment.start({ meetingFolder: await writeMeeting(MEETING) });
});

afterAll(() => deployment.close());

describe('a worker that is told to stop', () => {
  it('leaves its calls to the others in the middle of speech, without a loss, and exits with 0', async () => {
    const first = await deployment.addWorker();
    const calls = await Promise.all(Array.from({ length: CALLS }, () => deployment.join()));
    const isHeard = (callId: string) => deployment.of(callId, 'speech.started').length > 0;
    await deployment.until(() => calls.every(isHeard));
    await deployment.addWorker();
    first.signal('SIGTERM');
    expect(await first.exited).toBe(0);
    await Promise.all(calls.map((callId) => deployment.ended(callId)));

    for (const callId of calls) {
      const stopped = deployment.of(callId, 'media.stopped').map(({ data }) => data);
      expect(stopped.map(({ reason }) => reason)).toEqual(['reattach', 'callEnded']);
      const heard = stopped.reduce((sum, data) => sum + data.framesReceived, 0);
      expect(heard).toBe(DURATION_MS / 20);
      expect(deployment.of(callId, 'media.gap')).toEqual([]);
      const [started, ...others] = deployment.of(callId, 'speech.started');
      expect(others).toEqual([]);
      const ended = deployment.of(callId, 'speech.ended');
      expect(ended.map(({ data }) => data.startMs)).toEqual([started?.data.startMs]);
      expect(deployment.of(callId, 'tone.detected').map(({ data }) => data.digit)).toEqual(['3']);
    }
    const ids = deployment.events.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect((await deployment.hostMetrics()).get('earshot_sandbox_account_mismatches_total')).toBe(
      0,
    );
  });
});
