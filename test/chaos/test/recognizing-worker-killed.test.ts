import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeploymentOptions } from '../dist/deployment.js';
import { Deployment, SpeechServer, writeMeeting } from '../dist/deployment.js';
import type { Undisturbed } from './intact.js';
import { expectIntact, saidOf, undisturbed } from './intact.js';

/**
 * Bob's key presses tell when Ada is in the middle of an utterance: of the first, and of a long one.
 * There is time for another worker to take over before the end, on a busy machine too.
 */
const MEETING = {
  durationMs: 30_000,
  participants: {
    ada: {
      speech: [
        { startMs: 1_000, endMs: 3_400 },
        { startMs: 4_500, endMs: 8_500 },
      ],
    },
    bob: {
      tones: [
        { digit: '1' as const, startMs: 2_000, durationMs: 100 },
        { digit: '2' as const, startMs: 7_000, durationMs: 100 },
      ],
    },
  },
};
const LISTENING = {
  phrases: { phrases: ['review call', 'mute everyone'] },
  dictation: { engines: ['openai'], maxUtteranceMs: 2_000 },
};

let vendor: SpeechServer;
let deployment: Deployment;
let expected: Undisturbed;

beforeAll(async () => {
  const meetingFolder = await writeMeeting(MEETING);
  vendor = await SpeechServer.start();
  const options: DeploymentOptions = {
    meetingFolder,
    signaling: { EARSHOT_LISTENING: JSON.stringify(LISTENING) },
    worker: {
      EARSHOT_OPENAI_BASE_URL: vendor.baseUrl,
      // However far behind a busy machine is, nothing is left out for that.
      EARSHOT_RECOGNIZER_BACKLOG_MS: '120000',
    },
  };
  [expected, deployment] = await Promise.all([
    undisturbed(meetingFolder, options),
    Deployment.start({ ...options, workers: 3 }),
  ]);
});

afterAll(async () => {
  await deployment.close();
  await vendor.close();
});

describe('workers that are killed while somebody speaks', () => {
  it('leave each phrase and each text told, with the ids and ranges that it would have', async () => {
    const callId = await deployment.join();
    const isPressed = (digit: string) => () =>
      deployment.of(callId, 'tone.detected').some(({ data }) => data.digit === digit);
    await deployment.until(isPressed('1'));
    (await deployment.workerOf(callId)).signal('SIGKILL');
    await deployment.until(isPressed('2'));
    (await deployment.workerOf(callId)).signal('SIGKILL');
    await deployment.ended(callId);

    const isSaid = (what: string) => expected.said.filter((each) => each.includes(what));
    expect(isSaid('review call').length).toBeGreaterThan(0);
    expect(isSaid('frames').length).toBeGreaterThan(3);
    expect(saidOf(deployment, callId)).toEqual(expected.said);
    expectIntact(deployment, [callId], expected);
  });
});
