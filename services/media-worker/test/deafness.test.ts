import { afterAll, beforeAll, expect, it } from 'vitest';
import { Bench } from './test-bench.js';

/** Short, so that the test is; the watch looks once a second. */
const DEAF_AFTER_MS = 500;

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start({ deafAfterMs: DEAF_AFTER_MS });
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
  const room = Int16Array.from({ length: 320 }, (_, n) => (n % 7) - 3);
  const hum = setInterval(() => void quiet.play({ 1: [pcm16(room)] }), 100);

  await bench.until(() => bench.ofType(callId, 'media.deaf').length > 0);
  const [told] = bench.ofType(callId, 'media.deaf');
  expect(told?.data).toMatchObject({ reason: 'noFrames', unmutedParticipants: 2 });
  expect(told?.data.quietMs).toBeGreaterThanOrEqual(DEAF_AFTER_MS);

  await deaf.play({ 1: [pcm16(room)] });
  await bench.until(() => bench.ofType(callId, 'media.recovered').length > 0);
  await deaf.play({ 1: Array.from({ length: 10 }, () => pcm16(new Int16Array(320))) });
  await bench.until(() => bench.ofType(callId, 'media.deaf').length > 1);
  expect(bench.ofType(callId, 'media.deaf')[1]?.data.reason).toBe('digitalSilence');

  clearInterval(hum);
  for (const id of [mutedId, quietId]) {
    expect(bench.ofType(id, 'media.deaf')).toEqual([]);
  }
  for (const host of hosts) await host.client.close();
});

function pcm16(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength).slice();
}
