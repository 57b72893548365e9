import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CuttingProxy, Deployment, writeMeeting } from '../dist/deployment.js';
import type { Undisturbed } from './intact.js';
import { expectIntact, undisturbed } from './intact.js';

const MEETING = {
  durationMs: 2_000,
  participants: {
    ada: { speech: [{ startMs: 300, endMs: 1_500 }] },
    bob: { tones: [{ digit: '5' as const, startMs: 800, durationMs: 200 }] },
  },
};

let proxy: CuttingProxy;
let deployment: Deployment;
let expected: Undisturbed;

beforeAll(async () => {
  const meetingFolder = await writeMeeting(MEETING);
  expected = await undisturbed(meetingFolder);
  proxy = await CuttingProxy.start();
  deployment = await Deployment.start({ meetingFolder });
  const advertised = `ws://${proxy.address}/v1/media-link`;
  const worker = await deployment.addWorker({ EARSHOT_ADVERTISED_URL: advertised });
  proxy.target = { host: '127.0.0.1', port: Number(new URL(worker.text('url')).port) };
});

afterAll(async () => {
  await deployment.close();
  await proxy.close();
});

describe('a call that ends before its host can reach any worker', () => {
  it('is heard all the same, once it can', async () => {
    proxy.refuse(true);
    const callId = await deployment.join();
    await deployment.until(() => deployment.of(callId, 'call.ended').length > 0);
    expect(deployment.of(callId, 'media.started')).toEqual([]);
    proxy.refuse(false);
    await deployment.ended(callId);
    expectIntact(deployment, [callId], expected);
  });
});
