import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallEventDraft } from '../src/call-events.js';
import { CallTalk } from '../src/call-talk.js';
import { encode, join, silence, voice } from './sound.js';
import { Bench } from './test-bench.js';
import type { TestHost } from './test-host.js';

const MEDIA_EPOCH_TICKS = 638_000_000_000_000_000n;
/** Ada speaks from 500 to 3500 ms, Bob from 3000 to 7000 ms and again from 8000 ms to the end. */
const ADA = encode(join(silence(500), voice(3000), silence(6500)));
const BOB = encode(join(silence(3000), voice(4000), silence(1000), voice(2000)));

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterAll(() => bench.close());

async function meeting(): Promise<{ host: TestHost; callId: string }> {
  const { host, callId } = await bench.host();
  await bench.registry.bindSources(
    callId,
    new Map([['11', [{ participantId: 'p-ada', fromMs: 0 }]]]),
  );
  host.open(1, '11');
  host.open(2, '12');
  return { host, callId };
}

function dominant(callId: string): string[] {
  return bench
    .ofType(callId, 'speaker.dominant')
    .map(({ sourceId, data }) => `${data.previousSourceId}>${sourceId} ${data.origin}`);
}

describe('talk', () => {
  it('is summed up when the media end: who spoke for how long, and at once', async () => {
    const { host, callId } = await meeting();
    host.open(3, undefined);
    await host.play({ 1: ADA, 2: BOB, 3: BOB });
    await host.settled();
    await bench.until(() => bench.ofType(callId, 'speech.ended').length >= 2);
    await host.bye();
    await bench.stopped(callId);
    const [summary, ...more] = bench.ofType(callId, 'talk.summary');
    expect(more).toEqual([]);
    expect(summary?.id).toMatch(/\.m_1\.talkSummary\.10000$/);
    const near = (ms = 0, expectedMs = 0): void =>
      expect(Math.abs(ms - expectedMs)).toBeLessThanOrEqual(250);
    const { speakers, talkMs, overlapMs, endMs } = summary?.data ?? { speakers: [] };
    expect(speakers).toMatchObject([
      { sourceId: '11', participantId: 'p-ada', talkspurts: 1 },
      { sourceId: '12', participantId: null, talkspurts: 2 },
    ]);
    near(speakers[0]?.talkMs, 3000);
    near(speakers[1]?.talkMs, 6000);
    near(talkMs, 8500);
    near(overlapMs, 500);
    expect(speakers.map((each) => each.overlapMs)).toEqual([overlapMs, overlapMs]);
    near(endMs, 10_000);
    const last = bench.of(callId).slice(-2);
    expect(last.map(({ type }) => type)).toEqual(['talk.summary', 'media.stopped']);
  });

  it('has a dominant speaker, who changes as they take turns', async () => {
    const { host, callId } = await meeting();
    await host.play({ 1: ADA, 2: BOB });
    await host.settled();
    const statsText = await (await fetch(`${bench.worker.url}/v1/stats`)).text();
    await host.bye();
    await bench.stopped(callId);
    expect(dominant(callId)).toEqual(['null>11 heard', '11>12 heard']);
    const [ada, bob] = bench.ofType(callId, 'speaker.dominant');
    expect(ada?.participant).toEqual({ id: 'p-ada' });
    expect(Math.abs((ada?.data.sinceMs ?? 0) - 1500)).toBeLessThan(400);
    expect(Math.abs((bob?.data.sinceMs ?? 0) - 4800)).toBeLessThan(700);
    const own = expect.objectContaining({ callId, talk: expect.any(Array) });
    expect(JSON.parse(statsText).calls).toEqual(expect.arrayContaining([own]));
  });

  it('has the dominant speaker that the host names, once it does', async () => {
    const { host, callId } = await meeting();
    const captureTicks = String(MEDIA_EPOCH_TICKS + 1_000_000n);
    host.send({ type: 'dominantSpeaker', sourceId: '12', captureTicks });
    await host.play({ 1: ADA, 2: BOB });
    host.send({ type: 'dominantSpeaker', sourceId: null, captureTicks });
    await host.bye();
    await bench.stopped(callId);
    expect(dominant(callId)).toEqual(['null>12 host', '12>null host']);
  });

  it('that nobody hears is not summed up', async () => {
    const { host, callId } = await meeting();
    await host.play({ 1: encode(silence(1000)) });
    await host.bye();
    await bench.stopped(callId);
    expect(bench.ofType(callId, 'talk.summary')).toEqual([]);
  });
});

describe('talk of very many', () => {
  it('is counted of 1024 speakers, and of no more', () => {
    const told: CallEventDraft[] = [];
    const talk = new CallTalk({
      ...{ callId: 'c_1', mediaId: 'm_1' },
      participantOf: (sourceId) => `p-${sourceId}`,
      tell: (event) => told.push(event),
    });
    for (let n = 0; n < 1100; n += 1) {
      talk.started(`${n}`, n * 1000);
      talk.ended(`${n}`, n * 1000, n * 1000 + 500);
    }
    talk.end(1_100_000);
    const summary = told.find(({ type }) => type === 'talk.summary');
    expect(summary).toMatchObject({ data: { talkMs: 1024 * 500 } });
    expect(talk.speakers).toHaveLength(1024);
    expect(talk.speakers.at(-1)?.sourceId).toBe('1023');
  });
});
