import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deployment, writeMeeting } from '../dist/deployment.js';

const TONE = { digit: '5' as const, startMs: 2_000, durationMs: 2_500 };
const SPEECH = { startMs: 7_000, endMs: 10_000 };
/** Bob's key press tells when Ada's is half over. */
const MEETING = {
  durationMs: 13_000,
  participants: {
    ada: { tones: [TONE], speech: [SPEECH] },
    bob: { tones: [{ digit: '1' as const, startMs: 3_000, durationMs: 100 }] },
  },
};

let deployment: Deployment;
let callId: string;

beforeAll(async () => {
  deployment = await Deployment.start({ meetingFolder: await writeMeeting(MEETING) });
  for (let n = 0; n < 3; n += 1) await deployment.addWorker();
  callId = await deployment.join();
});

afterAll(() => deployment.close());

function tones(digit: string): { digit: string; startMs: number; durationMs: number }[] {
  return deployment
    .of(callId, 'tone.detected')
    .map(({ data }) => data)
    .filter((data) => data.digit === digit);
}

describe('workers that are killed', () => {
  it('leave a tone reported once and whole, and a talkspurt with its own start and end', async () => {
    await deployment.until(() => tones('1').length > 0);
    const first = await deployment.workerOf(callId);
    first.signal('SIGKILL');
    await deployment.until(() => deployment.of(callId, 'speech.started').length > 0);
    const second = await deployment.workerOf(callId);
    expect(second).not.toBe(first);
    second.signal('SIGKILL');
    await deployment.ended(callId);

    expect(tones('5')).toHaveLength(1);
    expect(Math.abs((tones('5')[0]?.startMs ?? 0) - TONE.startMs)).toBeLessThanOrEqual(20);
    expect(Math.abs((tones('5')[0]?.durationMs ?? 0) - TONE.durationMs)).toBeLessThanOrEqual(25);
    expect(tones('1')).toHaveLength(1);
    const started = deployment.of(callId, 'speech.started');
    const ended = deployment.of(callId, 'speech.ended');
    expect([started.length, ended.length]).toEqual([1, 1]);
    expect(ended[0]?.data.startMs).toBe(started[0]?.data.startMs);
    expect(Math.abs((ended[0]?.data.endMs ?? 0) - SPEECH.endMs)).toBeLessThanOrEqual(200);
    expect(deployment.of(callId, 'media.gap')).toEqual([]);
    const ids = deployment.events.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
