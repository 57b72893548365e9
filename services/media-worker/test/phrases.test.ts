import { fileURLToPath } from 'node:url';
import { listeningSettingsSchema } from '@earshot/listening';
import { readOggOpus } from '@earshot/opus';
import { expect, it } from 'vitest';
import { Bench, newCallId } from './test-bench.js';

/** What Ada says in the sample meeting; a greeting from 720 to 3140 ms. */
const ADA = fileURLToPath(new URL('../../sandbox/meeting/ada.opus', import.meta.url));
const FRAMES = 4500 / 20;

const LISTENING = listeningSettingsSchema.parse({
  phrases: { phrases: ['review call', 'call me back', 'mute everyone'] },
});

it("a phrase spoken in a call is found by the worker's own recognizer, and no other is", async () => {
  await using bench = await Bench.start();
  const callId = newCallId();
  await bench.registry.setListening(callId, LISTENING);
  const host = await bench.dial(await bench.place(callId)).connect();
  host.open(1, '11');
  const { packets } = await readOggOpus(ADA);
  await host.play({ 1: packets.slice(0, FRAMES) });
  await host.bye();
  await bench.stopped(callId);
  expect(bench.ofType(callId, 'transcript.skipped')).toEqual([]);
  const [found, ...others] = bench.ofType(callId, 'phrase.recognized');
  expect(others).toEqual([]);
  expect(found?.data).toMatchObject({ phrase: 'review call', engine: 'soundswallower' });
  expect(found?.data.startMs).toBeGreaterThan(720);
  expect(found?.data.endMs).toBeLessThan(3300);
});
