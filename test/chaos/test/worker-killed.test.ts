import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Deployment, writeMeeting } from '../dist/deployment.js';
import type { Undisturbed } from './intact.js';
import { expectIntact, undisturbed } from './intact.js';

const TONE = { digit: '5' as const, startMs: 2_000, durationMs: 2_500 };
const SPEECH = { startMs: 7_000, endMs: 10_000 };
/**
 * Bob's key press tells when Ada's is half over. There is time for another worker to take over before the
 * end, on a busy machine too.
 */
const MEETING = {
  durationMs: 30_000,
  participants: {
    ada: { tones: [TONE], speech: [SPEECH] },
    bob: { tones: [{ digit: '1' as const, startMs: 3_000, durationMs: 100 }] },
  },
};

let deployment: Deployment;
let expected: Undisturbed;

beforeAll(async () => {
  const meetingFolder = await writeMeeting(MEETING);
  [expected, deployment] = await Promise.all([
    undisturbed(meetingFolder),
    Deployment.start({ meetingFolder, workers: 3 }),
  ]);
});

afterAll(() => deployment.close());

describe('workers that are killed', () => {
  it('leave a tone reported once and whole, and a talkspurt with its own start and end', async () => {
    const callId = await deployment.join();
    const tones = (digit: string) =>
      deployment.of(callId, 'tone.detected').filter(({ data }) => data.digit === digit);
    await deployment.until(() => tones('1').length > 0);
    const first = await deployment.workerOf(callId);
    first.signal('SIGKILL');
    await deployment.until(() => deployment.of(callId, 'speech.started').length > 0);
    const second = await deployment.workerOf(callId);
    expect(second).not.toBe(first);
    second.signal('SIGKILL');
    await deployment.ended(callId);

    expectIntact(deployment, [callId], expected);
    const [{ data: tone } = { data: undefined }] = tones('5');
    expect(Math.abs((tone?.startMs ?? 0) - TONE.startMs)).toBeLessThanOrEqual(20);
    expect(Math.abs((tone?.durationMs ?? 0) - TONE.durationMs)).toBeLessThanOrEqual(25);
    const started = deployment.of(callId, 'speech.started');
    const ended = deployment.of(callId, 'speech.ended');
    expect(ended.map(({ data }) => data.startMs)).toEqual(started.map(({ data }) => data.startMs));
    expect(Math.abs((ended[0]?.data.endMs ?? 0) - SPEECH.endMs)).toBeLessThanOrEqual(200);
    expect(deployment.of(callId, 'media.gap')).toEqual([]);
  });
});
