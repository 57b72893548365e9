import { VirtualClock } from '@earshot/async';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Bench } from './test-bench.js';

const DEAF_AFTER_MS = 500;
const ROOM = pcm16(Int16Array.from({ length: 320 }, (_, n) => (n % 7) - 3));
const ZEROS = pcm16(new Int16Array(320));

const NOBODY_DOMINATES = {
  type: 'dominantSpeaker',
  sourceId: null,
  captureTicks: '0',
} as const;

let bench: Bench;
/** Of the worker: goes on when a test says so. */
const clock = new VirtualClock(Date.now());

beforeAll(async () => {
  bench = await Bench.start({ deafAfterMs: DEAF_AFTER_MS }, { clock });
});

afterAll(() => bench.close());

it('tells a deaf call from one in which all are muted and one in which nobody speaks', async () => {
  const { host: deaf, callId } = await bench.host();
  const { host: muted, callId: mutedId } = await bench.host();
  const { host: quiet, callId: quietId } = await bench.host();
  await bench.registry.setUnmuted(callId, 2);
  await bench.registry.setUnmuted(mutedId, 0);
  await bench.registry.setUnmuted(quietId, 2);
  const hosts = [deaf, muted, quiet];
  for (const host of hosts) host.open(1, '201', { codec: 'pcm16' });

  /** Lets time pass, in which the quiet room is heard, until the deaf call has told so many. */
  async function untilTold(type: 'media.deaf' | 'media.recovered', times: number): Promise<void> {
    while (bench.ofType(callId, type).length < times) {
      // All of them are there, by this clock too.
      for (const host of hosts) host.send(NOBODY_DOMINATES);
      await quiet.play({ 1: [ROOM] });
      await quiet.settled();
      clock.advance(100);
    }
  }

  await untilTold('media.deaf', 1);
  const [told] = bench.ofType(callId, 'media.deaf');
  expect(told?.data).toMatchObject({ reason: 'noFrames', unmutedParticipants: 2 });
  expect(told?.data.quietMs).toBeGreaterThanOrEqual(DEAF_AFTER_MS);

  await deaf.play({ 1: [ROOM] });
  await deaf.settled();
  await untilTold('media.recovered', 1);
  await deaf.play({ 1: Array.from({ length: 10 }, () => ZEROS) });
  await deaf.settled();
  await untilTold('media.deaf', 2);
  expect(bench.ofType(callId, 'media.deaf')[1]?.data.reason).toBe('digitalSilence');

  for (const id of [mutedId, quietId]) {
    expect(bench.ofType(id, 'media.deaf')).toEqual([]);
  }
  for (const host of hosts) await host.client.close();
});

function pcm16(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength).slice();
}
