import { setTimeout as sleep } from 'node:timers/promises';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServiceChild, SpreadCallback } from '../dist/deployment.js';
import { CallbackSpreader, Deployment, HoldingProxy, writeMeeting } from '../dist/deployment.js';
import type { Undisturbed } from './intact.js';
import { expectIntact, undisturbed } from './intact.js';

/** The media are there long before the end, on a busy machine too. */
const MEETING = {
  durationMs: 20_000,
  participants: {
    ada: { speech: [{ startMs: 500, endMs: 3_000 }] },
    bob: { tones: [{ digit: '5' as const, startMs: 1_000, durationMs: 200 }] },
  },
};
const POLL_MS = 20;
/** A pod is held once it has stored a callback, before it takes any to fold them in. */
const BETWEEN = { after: '}:seen', from: '}:lock' };
/** The callbacks whose pod dies: the first, the first roster, and the end. */
const FATAL = [/"establishing"/, /participants"/, /"terminated"/];

let redis: TestRedis;
let proxy: HoldingProxy;
let spreader: CallbackSpreader;
let deployment: Deployment;
const victims: ServiceChild[] = [];
let expected: Undisturbed;

beforeAll(async () => {
  const meetingFolder = await writeMeeting(MEETING);
  expected = await undisturbed(meetingFolder);
  redis = await startTestRedis({ persistent: true });
  proxy = await HoldingProxy.start(redis.url);
  spreader = await CallbackSpreader.start();
  const publicUrl = { EARSHOT_PUBLIC_URL: spreader.url };
  deployment = await Deployment.start({
    meetingFolder,
    redisUrl: redis.url,
    workers: 1,
    signaling: publicUrl,
  });
  for (const _ of FATAL) {
    const victim = await deployment.addSignaling({ REDIS_URL: proxy.path, ...publicUrl });
    victims.push(victim);
    // Until it is its turn, so that nobody folds in what another one left.
    victim.signal('SIGSTOP');
  }
});

afterAll(async () => {
  await deployment.close();
  await spreader.close();
  await proxy.close();
  await redis.close();
});

/** Lists of callbacks that are stored and that nobody has folded into their call. */
async function waiting(): Promise<number> {
  const keys: unknown = await redis.ask('KEYS', 'earshot:{c_*}:notifications');
  return Array.isArray(keys) ? keys.length : 0;
}

/**
 * The victim acknowledges, is held before it can do more, and dies. The survivor sleeps meanwhile,
 * so that nobody else acts upon the callback.
 */
async function killAfterAck(
  callback: SpreadCallback,
  victim: ServiceChild,
): Promise<{ status: number; left: number }> {
  const survivor = deployment.signaling;
  survivor.signal('SIGSTOP');
  proxy.hold(BETWEEN);
  victim.signal('SIGCONT');
  try {
    const status = await callback.send(victim.text('url'));
    return { status, left: await waiting() };
  } finally {
    await victim.kill();
    proxy.hold(undefined);
    survivor.signal('SIGCONT');
  }
}

describe('a signaling pod killed between acknowledging a callback and acting upon it', () => {
  it('loses nothing of the call, which ends once, whichever callback it was', async () => {
    const killed: unknown[] = [];
    let turn = 0;
    spreader.handle = async (callback) => {
      const isFatal = FATAL[turn]?.test(callback.body) === true;
      const victim = victims[turn];
      if (!isFatal || victim === undefined) {
        return callback.send(deployment.signaling.text('url'));
      }
      // At once: Graph may send it again while the victim takes its time.
      turn += 1;
      const death = await killAfterAck(callback, victim);
      killed.push(death);
      return death.status;
    };
    const callId = await deployment.join();
    await deployment.ended(callId);

    // Each had stored its callback, and nobody had folded it in when it died.
    expect(killed).toEqual(FATAL.map(() => ({ status: 202, left: 1 })));
    expect(deployment.of(callId, 'call.ended')).toHaveLength(1);
    expectIntact(deployment, [callId], expected);
    expect((await deployment.call(callId)).state).toBe('terminated');
    // What comes after the end is folded in, too.
    while ((await waiting()) > 0) await sleep(POLL_MS);
    const metrics = await deployment.hostMetrics();
    expect(metrics.get('earshot_sandbox_callbacks_lost_total')).toBe(0);
  });
});
