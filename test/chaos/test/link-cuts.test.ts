import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CuttingProxy, Deployment, writeMeeting } from '../dist/deployment.js';

const AUDIO_MS = 60_000;
/** Faster than life, so that a minute takes a quarter of one; the host then waits for the worker. */
const SPEED = 4;
const CUT_EVERY_MS = 2_000;
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

/** A generator of its own (LCG of Numerical Recipes), so that a failure can be made again. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

let meetingFolder: string;
let deployment: Deployment;
let proxy: CuttingProxy;

beforeAll(async () => {
  meetingFolder = await writeMeeting(MEETING);
});

afterEach(async () => {
  await deployment.close();
  await proxy.close();
});

/** One worker, reached through the proxy alone. */
async function start(sandbox: Readonly<Record<string, string>> = {}): Promise<string> {
  proxy = await CuttingProxy.start();
  deployment = await Deployment.start({ meetingFolder, speed: SPEED, sandbox });
  const advertised = `ws://${proxy.address}/v1/media-link`;
  const worker = await deployment.addWorker({ EARSHOT_ADVERTISED_URL: advertised });
  proxy.target = { host: '127.0.0.1', port: Number(new URL(worker.text('url')).port) };
  return deployment.join();
}

/** What was heard, without what belongs to one attachment. */
function findings(callId: string): string[] {
  return deployment.events
    .filter((event) => event.callId === callId)
    .filter(
      ({ type }) => ['tone.detected', 'media.gap'].includes(type) || type.startsWith('speech.'),
    )
    .map(({ id }) => id.replace(callId, ''))
    .sort();
}

function totals(callId: string): { framesReceived: number; framesMissing: number } {
  const stopped = deployment.of(callId, 'media.stopped').map(({ data }) => data);
  return {
    framesReceived: stopped.reduce((sum, data) => sum + data.framesReceived, 0),
    framesMissing: stopped.reduce((sum, data) => sum + data.framesMissing + data.framesDropped, 0),
  };
}

describe('a media link cut every 2 s, at any byte', () => {
  it('loses nothing and doubles nothing', async () => {
    const undisturbed = await start();
    await deployment.ended(undisturbed);
    const expected = {
      findings: findings(undisturbed),
      talkspurts: deployment.of(undisturbed, 'speech.ended').length,
      totals: totals(undisturbed),
    };
    await deployment.close();
    await proxy.close();

    const callId = await start();
    const random = seeded(1);
    let isLastHeard = false;
    const lastHeard = deployment
      .until(() => deployment.of(callId, 'speech.ended').length === expected.talkspurts)
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
    expect(findings(callId)).toEqual(expected.findings);
    expect(totals(callId)).toEqual(expected.totals);
    expect(totals(callId).framesReceived).toBe((AUDIO_MS / 20) * 2);
    expect(deployment.of(callId, 'media.gap')).toEqual([]);
    expect((await deployment.hostMetrics()).get('earshot_sandbox_account_mismatches_total')).toBe(
      0,
    );
  });
});
