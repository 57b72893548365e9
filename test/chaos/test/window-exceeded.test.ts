import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CuttingProxy, Deployment, writeMeeting } from '../dist/deployment.js';

/** It is back, and all is settled, before the end: on a busy machine too. */
const DURATION_MS = 20_000;
const WINDOW_MS = 500;
/** Longer than the window, so that some of it is lost for good. */
const OUTAGE_MS = 1_500;
const MEETING = {
  durationMs: DURATION_MS,
  participants: {
    ada: { speech: [{ startMs: 1_000, endMs: 7_000 }] },
    bob: { speech: [{ startMs: 2_000, endMs: 6_000 }] },
  },
};

let deployment: Deployment;
let proxy: CuttingProxy;

beforeAll(async () => {
  proxy = await CuttingProxy.start();
  deployment = await Deployment.start({
    meetingFolder: await writeMeeting(MEETING),
    sandbox: { EARSHOT_REPLAY_WINDOW_MS: String(WINDOW_MS) },
  });
});

afterAll(async () => {
  await deployment.close();
  await proxy.close();
});

describe('a media link that is away for longer than the window', () => {
  it('loses what is beyond it, and host, worker and events say how much', async () => {
    const advertised = `ws://${proxy.address}/v1/media-link`;
    const worker = await deployment.addWorker({ EARSHOT_ADVERTISED_URL: advertised });
    proxy.target = { host: '127.0.0.1', port: Number(new URL(worker.text('url')).port) };
    const callId = await deployment.join();
    await deployment.until(() => deployment.of(callId, 'speech.started').length > 0);
    proxy.refuse(true);
    setTimeout(() => proxy.refuse(false), OUTAGE_MS);
    await deployment.ended(callId);

    const lost = new Map<number, number>();
    const complete = new Set<number>();
    for (const account of await deployment.accounts(callId)) {
      lost.set(account.streamId, (lost.get(account.streamId) ?? 0) + account.lost);
      if (!account.isComplete) continue;
      complete.add(account.streamId);
      expect(account.workerLost).toBe(account.lost);
      expect(account.workerDropped).toBe(0);
    }
    expect(complete.size).toBe(2);
    const gaps = deployment.of(callId, 'media.gap').map(({ data }) => data);
    expect(gaps.every(({ cause }) => cause === 'discarded')).toBe(true);
    for (const [streamId, slots] of lost) {
      const told = gaps.filter((gap) => gap.streamId === streamId);
      const missing = told.reduce((sum, gap) => sum + gap.missingFrames, 0);
      expect(missing).toBeGreaterThan(0);
      // After a move a worker asks again for some that the one before had heard.
      expect(missing).toBeLessThanOrEqual(slots);
    }
    const stopped = deployment.of(callId, 'media.stopped').map(({ data }) => data);
    const sum = (of: (data: (typeof stopped)[number]) => number): number =>
      stopped.reduce((total, data) => total + of(data), 0);
    const heard = sum((data) => data.framesReceived);
    const missing = sum((data) => data.framesMissing);
    expect(heard + missing).toBe((2 * DURATION_MS) / 20);
    expect(missing).toBe(gaps.reduce((total, gap) => total + gap.missingFrames, 0));
    expect((await deployment.hostMetrics()).get('earshot_sandbox_account_mismatches_total')).toBe(
      0,
    );
  });
});
