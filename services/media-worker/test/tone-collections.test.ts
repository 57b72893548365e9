import { generateSequence } from '@earshot/dtmf';
import type { ToneCollectionSettings } from '@earshot/listening';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallEventDraft } from '../src/call-events.js';
import { ToneCollections } from '../src/tone-collections.js';
import { encode, join, silence } from './sound.js';
import type { EventOf } from './test-bench.js';
import { Bench, newCallId } from './test-bench.js';
import type { TestHost, Track } from './test-host.js';

const MEDIA_EPOCH_TICKS = 638_000_000_000_000_000n;
const COLLECT: ToneCollectionSettings = {
  ...{ maxDigits: 8, terminator: '#', interDigitMs: 1000, firstDigitMs: null },
};

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterAll(() => bench.close());

function keys(digits: string): Int16Array {
  return generateSequence({ digits, toneMs: 100, pauseMs: 150, sampleRateHz: 16_000 });
}

async function linked(
  collect: ToneCollectionSettings,
  more: { callId?: string; workerId?: string; virtualTime?: boolean } = {},
): Promise<{ host: TestHost; callId: string }> {
  const { callId = newCallId(), workerId, virtualTime = true } = more;
  await bench.registry.setListening(callId, { collect });
  const placed = await bench.place(callId, workerId);
  return { host: await bench.dial(placed, { virtualTime }).connect(), callId };
}

function collected(callId: string): EventOf<'tone.collected'>[] {
  return bench.ofType(callId, 'tone.collected');
}

function summary(callId: string): string[] {
  return collected(callId).map(({ data, sourceId }) => `${sourceId} ${data.digits} ${data.reason}`);
}

async function hear(
  collect: ToneCollectionSettings,
  tracks: Record<number, Track>,
): Promise<string> {
  const { host, callId } = await linked(collect);
  for (const id of Object.keys(tracks)) host.open(Number(id), `1${id}`);
  await host.play(tracks);
  await host.bye();
  await bench.stopped(callId);
  return callId;
}

describe('keys', () => {
  it('are put together: by terminator, pause and end, for each source', async () => {
    const callId = await hear(COLLECT, {
      1: encode(join(silence(300), keys('12#34'), silence(2000), keys('56'), silence(300))),
      2: encode(join(silence(400), keys('99'), silence(500))),
    });
    expect(summary(callId).sort()).toEqual([
      '11 12 terminator',
      '11 34 interDigitTimeout',
      '11 56 ended',
      '12 99 interDigitTimeout',
    ]);
    const first = collected(callId).find(({ sourceId }) => sourceId === '11');
    expect(first?.id).toMatch(/\.m_1\.collected\.11\.\d+$/);
    expect(Math.abs((first?.data.startMs ?? 0) - 300)).toBeLessThan(30);
    const single = bench.ofType(callId, 'tone.detected');
    expect(single).toHaveLength(9);
  });

  it('are put together by their number, and none are when none come', async () => {
    const callId = await hear(
      { ...COLLECT, maxDigits: 2, firstDigitMs: 600 },
      { 1: encode(join(silence(300), keys('1234'), silence(2000))) },
    );
    expect(summary(callId)).toEqual(['11 12 length', '11 34 length', '11  firstDigitTimeout']);
  });

  it('are told in time though no frame comes any more, and by the settings of now', async () => {
    const { host, callId } = await linked(
      { ...COLLECT, interDigitMs: 60_000 },
      { virtualTime: false },
    );
    host.open(1, '11');
    await host.play({ 1: encode(join(silence(300), keys('12'), silence(100))) });
    await bench.until(() => bench.ofType(callId, 'tone.detected').length === 2);
    await bench.registry.setListening(callId, { collect: { ...COLLECT, interDigitMs: 200 } });
    await bench.until(() => collected(callId).length > 0);
    expect(summary(callId)).toEqual(['11 12 interDigitTimeout']);
    await host.bye();
    await bench.stopped(callId);
    expect(collected(callId)).toHaveLength(1);
  });

  it('pressed before and after another worker took over are one collection', async () => {
    const second = await bench.addWorker();
    const track = encode(join(silence(300), keys('1234#'), silence(500)));
    const { host: first, callId } = await linked(COLLECT, { workerId: bench.worker.workerId });
    first.open(1, '11');
    // Two keys are heard; the host reports the third before it is.
    await first.play({ 1: track.slice(0, 800 / 20) });
    await first.settled();
    const captureTicks = String(MEDIA_EPOCH_TICKS + 8_000_000n);
    first.send({ type: 'tone', tone: 'tone3', sourceId: '11', captureTicks });
    await bench.until(() => bench.ofType(callId, 'tone.detected').length === 3);
    first.send({ type: 'bye', reason: 'reattach' });
    await first.closed;
    const { host } = await linked(COLLECT, { callId, workerId: second.workerId });
    await host.resume(1, '11', track);
    await host.bye();
    await bench.until(() => bench.ofType(callId, 'media.stopped').length === 2);
    expect(summary(callId)).toEqual(['11 1234 terminator']);
    expect(bench.ofType(callId, 'tone.detected').map(({ data }) => data.origin)).toEqual([
      ...['inBand', 'inBand', 'host', 'inBand', 'inBand'],
    ]);
  });
});

describe('settings that change while nobody can say what time it is', () => {
  const data = {
    ...({ kind: 'dtmf', digit: '1', startMs: 300, durationMs: 100 } as const),
    ...({ levelDbfs: -20, twistDb: 0, confidence: 1, origin: 'inBand', acrossGap: false } as const),
  };
  const pressed = {
    ...({ id: 'tone', type: 'tone.detected', mediaTimeMs: 400, sourceId: '11', data } as const),
  };

  function collecting(settings: ToneCollectionSettings) {
    const told: CallEventDraft[] = [];
    const collections = new ToneCollections({
      ...{ callId: 'c_1', mediaId: 'm_1', settings },
      tell: (event) => told.push(event),
    });
    collections.expect('11');
    return { collections, told };
  }

  it('hold for the keys that there are', () => {
    const { collections, told } = collecting({ ...COLLECT, interDigitMs: 60_000 });
    collections.press(pressed);
    collections.change({ ...COLLECT, interDigitMs: 200 }, () => undefined);
    collections.advance(() => 599);
    expect(told).toEqual([]);
    collections.advance(() => 600);
    expect(told).toMatchObject([{ data: { digits: '1', reason: 'interDigitTimeout' } }]);
  });

  it('hold for a first key, which is waited for from when the time is known', () => {
    const { collections, told } = collecting({ ...COLLECT, firstDigitMs: 500 });
    collections.advance(() => 100);
    collections.change({ ...COLLECT, firstDigitMs: 1000 }, () => undefined);
    collections.advance(() => 900);
    collections.advance(() => 1899);
    expect(told).toEqual([]);
    collections.advance(() => 1900);
    expect(told).toMatchObject([{ data: { digits: '', reason: 'firstDigitTimeout' } }]);
  });

  it('that end collections end them no earlier than their keys', () => {
    const { collections, told } = collecting(COLLECT);
    collections.press(pressed);
    collections.change(null, () => undefined);
    expect(told).toMatchObject([{ data: { digits: '1', reason: 'ended', endMs: 400 } }]);
  });
});
