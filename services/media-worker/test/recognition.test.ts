import type { ListeningSettings } from '@earshot/listening';
import { DEFAULT_LISTENING, listeningSettingsSchema } from '@earshot/listening';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MediaWorker } from '../dist/index.js';
import { encode, join, silence, voice } from './sound.js';
import { Bench, newCallId } from './test-bench.js';
import type { TestHost, Track } from './test-host.js';

const WAIT = { timeout: 50_000, interval: 20 };

const RECOGNIZERS = new URL('./loud-recognizers.mjs', import.meta.url);

/** Speech from 1000 to 2500 ms, and from 4500 to 5500 ms. */
const TALKING = encode(join(silence(1000), voice(1500), silence(2000), voice(1000), silence(1500)));

const PHRASES = listeningSettingsSchema.parse({ phrases: { phrases: ['call me back'] } });
const DICTATION = listeningSettingsSchema.parse({ dictation: {} });

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start({}, { recognizers: RECOGNIZERS });
});

afterAll(() => bench.close());

function dictatedBy(engine: string): ListeningSettings {
  return listeningSettingsSchema.parse({ dictation: { engines: [engine] } });
}

async function linked(
  listening: ListeningSettings,
  worker: MediaWorker = bench.worker,
  callId = newCallId(),
): Promise<{ host: TestHost; callId: string }> {
  await bench.registry.setListening(callId, listening);
  const placed = await bench.place(callId, worker.workerId);
  return { host: await bench.dial(placed).connect(), callId };
}

async function listenedTo(): Promise<number> {
  const response = await fetch(`${bench.worker.url}/v1/stats`);
  const stats: { recognition: { streams: number } } = JSON.parse(await response.text());
  return stats.recognition.streams;
}

async function heard(listening: ListeningSettings, track: Track = TALKING): Promise<string> {
  const { host, callId } = await linked(listening);
  host.open(1, '11');
  await host.play({ 1: track });
  await host.bye();
  await bench.stopped(callId);
  return callId;
}

describe('a call that phrases are listened for in', () => {
  it('tells each that was spoken, once, with who spoke and when', async () => {
    const callId = await heard(PHRASES);
    const spoken = bench.ofType(callId, 'phrase.recognized');
    expect(spoken.map(({ sourceId }) => sourceId)).toEqual(['11', '11']);
    [
      [1000, 2500],
      [4500, 5500],
    ].forEach(([startMs = 0, endMs = 0], n) => {
      const data = spoken[n]?.data;
      expect(data).toMatchObject({ phrase: 'call me back', engine: 'loud', language: 'en-US' });
      expect(Math.abs((data?.startMs ?? 0) - startMs)).toBeLessThanOrEqual(100);
      expect(Math.abs((data?.endMs ?? 0) - endMs)).toBeLessThanOrEqual(100);
    });
  });
});

describe('a call that is transcribed', () => {
  it('tells partials while somebody speaks, then one final, and stops after the last of them', async () => {
    const callId = await heard(DICTATION);
    const partials = bench.ofType(callId, 'transcript.partial');
    const finals = bench.ofType(callId, 'transcript.final');
    expect(finals).toHaveLength(2);
    const ids = finals.map(({ data }) => data.utteranceId);
    for (const id of ids) {
      const own = partials.filter(({ data }) => data.utteranceId === id);
      expect(own.length).toBeGreaterThan(1);
      expect(own.map(({ data }) => data.revision)).toEqual(own.map((_, n) => n + 1));
    }
    expect(finals.map(({ id }) => id)).toEqual(ids.map((id) => `${id}.final`));
    const types = bench.of(callId).map(({ type }) => type);
    expect(types.at(-1)).toBe('media.stopped');
    expect(finals[0]?.data).toMatchObject({ engine: 'loud', language: 'en-US', gaps: [] });
  });

  it('says what was lost, and where', async () => {
    const track = TALKING.map((packet, n) => (n >= 75 && n < 85 ? null : packet));
    const callId = await heard(DICTATION, track);
    const [final] = bench.ofType(callId, 'transcript.final');
    expect(final?.data.gaps).toEqual([{ startMs: 1500, durationMs: 200 }]);
    expect(final?.data.text).toContain('[lost 0.2 s]');
  });

  it.each(['failing', 'closed', 'none'])('by a recognizer that is %s says so', async (engine) => {
    const callId = await heard(dictatedBy(engine));
    const skipped = bench.ofType(callId, 'transcript.skipped').map(({ data }) => data);
    expect(skipped.map(({ reason }) => reason)).toEqual(['engineFailed', 'engineFailed']);
    expect(Math.abs(skipped[0]!.startMs - 1000)).toBeLessThanOrEqual(100);
  });

  it('by a recognizer that fails once misses nothing', async () => {
    const callId = await heard(dictatedBy('faltering'));
    expect(bench.ofType(callId, 'transcript.final')).toHaveLength(2);
    expect(bench.ofType(callId, 'transcript.skipped')).toEqual([]);
  });

  it('by one that takes threads with it is told as skipped, and others go on', async () => {
    const callId = await heard(dictatedBy('dying'));
    const skipped = bench.ofType(callId, 'transcript.skipped').map(({ data }) => data);
    expect(skipped.length).toBeGreaterThan(0);
    expect(new Set(skipped.map(({ reason }) => reason))).toEqual(new Set(['engineFailed']));
    const after = await heard(DICTATION);
    expect(bench.ofType(after, 'transcript.final')).toHaveLength(2);
  });

  it('in virtual time is never too much, however slow the recognizer is', async () => {
    const worker = await bench.addWorker({ recognizerBacklogMs: 1 }, { recognizers: RECOGNIZERS });
    const { host, callId } = await linked(dictatedBy('slow'), worker);
    host.open(1, '11');
    await host.play({ 1: TALKING });
    await host.bye();
    await bench.stopped(callId);
    expect(bench.ofType(callId, 'transcript.final')).toHaveLength(2);
    expect(bench.ofType(callId, 'transcript.skipped')).toEqual([]);
  });

  it('does not wait for who was speaking when their host sends nothing more of them', async () => {
    const callId = newCallId();
    await bench.registry.setListening(callId, DICTATION);
    const placed = await bench.place(callId, bench.worker.workerId);
    const host = await bench.dial(placed, { virtualTime: false }).connect();
    host.open(1, '11');
    await host.play({ 1: TALKING.slice(0, 90) });
    const finals = (): number => {
      // It is there, and is heard to be.
      host.send({ type: 'dominantSpeaker', sourceId: null, captureTicks: '0' });
      return bench.ofType(callId, 'transcript.final').length;
    };
    await expect.poll(finals, { ...WAIT, interval: 250 }).toBe(1);
    await host.bye();
  });

  it('begins when that is asked for, and ends so', async () => {
    const { host, callId } = await linked(DEFAULT_LISTENING);
    host.open(1, '11');
    await host.play({ 1: TALKING });
    await host.settled();
    expect(bench.ofType(callId, 'transcript.final')).toEqual([]);
    await bench.registry.setListening(callId, DICTATION);
    await expect.poll(listenedTo, WAIT).toBe(1);
    await host.play({ 1: TALKING });
    await host.settled();
    await bench.registry.setListening(callId, DEFAULT_LISTENING);
    await expect.poll(listenedTo, WAIT).toBe(0);
    await bench.until(() => bench.ofType(callId, 'transcript.final').length === 2);
    await host.bye();
  });
});

describe('a call with a mix', () => {
  it('is recognized by its sources where these are heard, and each of it is told once', async () => {
    const { host, callId } = await linked(
      listeningSettingsSchema.parse({
        phrases: { phrases: ['call me back'] },
        dictation: {},
      }),
    );
    host.open(1, undefined);
    host.open(2, '11');
    await host.play({ 1: TALKING, 2: TALKING });
    await host.bye();
    await bench.stopped(callId);
    for (const type of ['phrase.recognized', 'transcript.final'] as const) {
      expect(bench.ofType(callId, type).map(({ sourceId }) => sourceId)).toEqual(['11', '11']);
    }
  });

  it('alone is recognized as it is', async () => {
    const { host, callId } = await linked(DICTATION);
    host.open(1, undefined);
    await host.play({ 1: TALKING });
    await host.bye();
    await bench.stopped(callId);
    const finals = bench.ofType(callId, 'transcript.final');
    expect(finals.map(({ sourceId }) => sourceId)).toEqual([null, null]);
  });
});

describe('a transcribed call that another worker takes over', () => {
  let second: MediaWorker;
  let alone: unknown[];

  beforeAll(async () => {
    second = await bench.addWorker({}, { recognizers: RECOGNIZERS });
    const callId = await heard(DICTATION);
    alone = finalsOf(callId);
    expect(alone).toHaveLength(2);
  });

  /** Without what names the call. */
  function finalsOf(callId: string): unknown[] {
    return bench
      .ofType(callId, 'transcript.final')
      .map(({ data }) => ({ ...data, utteranceId: data.utteranceId.replace(callId, '') }));
  }

  it.each([
    ['in the middle of an utterance', 1800 / 20],
    ['in the pause that ends it', 2700 / 20],
    ['as it ended', 3400 / 20],
    ['in the last utterance', 5000 / 20],
    ['at the very end', TALKING.length],
  ])('%s has one final of each utterance, of all of it', async (_, at) => {
    const { host: first, callId } = await linked(DICTATION);
    first.open(1, '11');
    await first.play({ 1: TALKING.slice(0, at) });
    await first.settled();
    await first.client.close(4999, 'test_cut');
    const placed = await bench.place(callId, second.workerId);
    const host = await bench.dial(placed).connect();
    expect(host.resumesAt(1) ?? 0).toBeLessThanOrEqual(at);
    await host.resume(1, '11', TALKING);
    await host.bye();
    await bench.until(() =>
      bench.ofType(callId, 'media.stopped').some(({ data }) => data.reason === 'callEnded'),
    );
    expect(finalsOf(callId)).toEqual(alone);
  });

  it.each([3700, 5200])(
    'within a monologue, after %i ms, cuts it where it would be',
    async (atMs) => {
      const monologue = encode(join(silence(600), voice(6000), silence(1500)));
      const listening = listeningSettingsSchema.parse({ dictation: { maxUtteranceMs: 2000 } });
      const whole = finalsOf(await heard(listening, monologue));
      expect(whole).toHaveLength(4);
      const { host: first, callId } = await linked(listening);
      first.open(1, '11');
      await first.play({ 1: monologue.slice(0, atMs / 20) });
      await first.settled();
      await bench.until(() => bench.ofType(callId, 'transcript.final').length > 0);
      // From there on only what is not told of is heard again.
      await expect
        .poll(async () => (await bench.registry.positions(callId, 'm_1'))[0]?.utterances, WAIT)
        .toMatchObject([{ next: { piece: expect.any(Number) } }]);
      await first.client.close(4999, 'test_cut');
      const placed = await bench.place(callId, second.workerId);
      const host = await bench.dial(placed).connect();
      await host.resume(1, '11', monologue);
      await host.bye();
      await bench.until(() =>
        bench.ofType(callId, 'media.stopped').some(({ data }) => data.reason === 'callEnded'),
      );
      expect(finalsOf(callId)).toEqual(whole);
    },
  );

  it('in order, in the middle of an utterance, too', async () => {
    const { host: first, callId } = await linked(DICTATION);
    first.open(1, '11');
    await first.play({ 1: TALKING.slice(0, 90) });
    const placed = await bench.place(callId, second.workerId);
    first.send({ type: 'bye', reason: 'reattach' });
    expect(await first.closed).toMatchObject({ code: 1000 });
    const host = await bench.dial(placed).connect();
    expect(host.resumesAt(1) ?? 0).toBeLessThan(1000 / 20);
    await host.resume(1, '11', TALKING);
    await host.bye();
    await bench.until(() => bench.ofType(callId, 'media.stopped').length > 1);
    expect(finalsOf(callId)).toEqual(alone);
  });
});
