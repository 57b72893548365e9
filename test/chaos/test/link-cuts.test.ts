import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CuttingProxy, Deployment, seeded, totalsOf, writeMeeting } from '../dist/deployment.js';
import type { Undisturbed } from './intact.js';
import { expectIntact, undisturbed } from './intact.js';

const AUDIO_MS = 60_000;
/** Faster than life, so that a minute takes a quarter of one; the host then waits for the worker. */
const SPEED = 4;
const CUT_EVERY_MS = 2_000;
const SEED = 1;
/** Twice the size of so much audio: a cut falls anywhere in it, within a frame or a handshake. */
const MAX_BYTES_BETWEEN = 2 * (2 * (CUT_EVERY_MS / 20) * 85);

const MEETING = {
  durationMs: AUDIO_MS,
  participants: {
    ada: { speech: everyTenSeconds(1_000, 4_000), tones: keys(5_000) },
    bob: { speech: everyTenSeconds(6_000, 9_500), tones: keys(2_500) },
  },
};

function everyTenSeconds(startMs: number, endMs: number): { startMs: number; endMs: number }[] {
  return Array.from({ length: AUDIO_MS / 10_000 }, (_, n) => ({
    startMs: startMs + n * 10_000,
    endMs: endMs + n * 10_000,
  }));
}

function keys(startMs: number): { digit: '7'; startMs: number; durationMs: number }[] {
  return everyTenSeconds(startMs, startMs + 200).map((span) => ({
    digit: '7',
    startMs: span.startMs,
    durationMs: span.endMs - span.startMs,
  }));
}

let deployment: Deployment;
let proxy: CuttingProxy;
let expected: Undisturbed;

beforeAll(async () => {
  const meetingFolder = await writeMeeting(MEETING);
  [expected, deployment, proxy] = await Promise.all([
    undisturbed(meetingFolder),
    Deployment.start({ meetingFolder, speed: SPEED }),
    CuttingProxy.start(),
  ]);
});

afterAll(async () => {
  await deployment.close();
  await proxy.close();
});

describe('a media link cut every 2 s, at any byte', () => {
  it('loses nothing and doubles nothing', async () => {
    const advertised = `ws://${proxy.address}/v1/media-link`;
    const worker = await deployment.addWorker({ EARSHOT_ADVERTISED_URL: advertised });
    proxy.target = { host: '127.0.0.1', port: Number(new URL(worker.text('url')).port) };
    const callId = await deployment.join();
    console.info(`cuts by seed ${SEED}`);
    const random = seeded(SEED);
    const talkspurts = expected.findings.filter((each) => each.startsWith('speech.ended')).length;
    let isLastHeard = false;
    const lastHeard = deployment
      .until(() => deployment.of(callId, 'speech.ended').length === talkspurts)
      .then(() => {
        isLastHeard = true;
      });
    while (!isLastHeard) {
      const cut = proxy.cutAfter(Math.ceil(random() * MAX_BYTES_BETWEEN));
      await Promise.race([cut, lastHeard]);
    }
    proxy.spare();
    await deployment.ended(callId);
    expect(proxy.cuts).toBeGreaterThanOrEqual(AUDIO_MS / CUT_EVERY_MS / 2);
    expectIntact(deployment, [callId], expected);
    expect(totalsOf(deployment.events, callId)).toEqual(expected.totals);
    expect(expected.totals).toEqual({ framesReceived: (AUDIO_MS / 20) * 2, framesLost: 0 });
    expect(deployment.of(callId, 'media.gap')).toEqual([]);
    expect((await deployment.hostMetrics()).get('earshot_sandbox_account_mismatches_total')).toBe(
      0,
    );
  });
});
