import { generateSequence } from '@earshot/dtmf';
import { metricRows } from '@earshot/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode, join, silence, voice } from './sound.js';
import { Bench } from './test-bench.js';

const TALKING = encode(join(silence(500), voice(1500)));
const KEYING = encode(
  generateSequence({ digits: '5', toneMs: 200, pauseMs: 200, sampleRateHz: 16_000 }),
);

const WAIT = { timeout: 50_000, interval: 20 };

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterAll(() => bench.close());

function ask(path: string): Promise<Response> {
  return fetch(bench.worker.url + path);
}

describe('over HTTP', () => {
  it('says that it lives and is ready', async () => {
    expect(await (await ask('/livez')).json()).toMatchObject({ status: 'alive' });
    const readiness = async (): Promise<unknown> => (await ask('/readyz')).json();
    // A busy machine may hold up the start.
    await expect.poll(readiness, WAIT).toMatchObject({
      status: 'ready',
      checks: { frame_age_seconds: { failing: false, limit: 1, effect: 'unready' } },
    });
    expect((await ask('/nothing')).status).toBe(404);
  });

  it('streams levels while there are any, with names', async () => {
    const { host, callId } = await bench.host();
    await bench.registry.bindSources(
      callId,
      new Map([['11', [{ participantId: 'p-a', displayName: 'Ada', fromMs: 0 }]]]),
    );
    host.open(1, '11');
    host.open(2, undefined);
    await host.play({ 1: TALKING });
    await host.settled();
    const response = await ask('/v1/levels');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const levels = await firstNamedLevels(response, callId);
    expect(levels.streams).toEqual([
      {
        streamId: 1,
        sourceId: '11',
        participant: { id: 'p-a', displayName: 'Ada' },
        levelDbfs: expect.any(Number),
        speaking: true,
      },
      { streamId: 2, sourceId: null, participant: null, levelDbfs: -127, speaking: false },
    ]);
    await host.bye();
  });

  it('counts in its metrics what became of frames, over calls that ended too', async () => {
    const before = await framesByOutcome();
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: [...KEYING, null, new Uint8Array(0), Uint8Array.of(0xff, 0xff)] });
    await host.settled();
    const grown = async (): Promise<number[]> => {
      const now = await framesByOutcome();
      const outcomes = ['decoded', 'missing', 'silent', 'corrupt'];
      return outcomes.map((outcome) => (now.get(outcome) ?? 0) - (before.get(outcome) ?? 0));
    };
    // Its thread writes them one by one.
    await expect.poll(grown, WAIT).toEqual([KEYING.length, 1, 1, 1]);
    await host.bye();
    await bench.stopped(callId);
    expect(await grown()).toEqual([KEYING.length, 1, 1, 1]);
  });

  it('tells its codec, and how long frames took, as a histogram that only grows', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: TALKING });
    await host.bye();
    await bench.stopped(callId);
    const text = await (await ask('/metrics')).text();
    expect(text).toMatch(/^earshot_decode_engine_info\{engine="wasm",version="libopus .*\} 1$/m);
    const found = text.matchAll(
      /^earshot_frame_to_finding_seconds_bucket\{le="(.+?)".*\} (\d+)$/gm,
    );
    const buckets = Array.from(found, ([, le, count]) => [
      Number(le?.replace('+Inf', 'Infinity')),
      Number(count),
    ]);
    expect(buckets.map(([bound]) => bound)).toEqual([
      ...Array.from({ length: 16 }, (_, n) => 2 ** (n + 7) / 1e6),
      Number.POSITIVE_INFINITY,
    ]);
    const counts = buckets.map(([, count = 0]) => count);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    const total = Number(/^earshot_frame_to_finding_seconds_count\{.*\} (\d+)$/m.exec(text)?.[1]);
    expect(total).toBeGreaterThanOrEqual(TALKING.length);
    expect(counts.at(-1)).toBe(total);
    expect(await (await ask('/v1/stats')).json()).toMatchObject({
      frameToFinding: { frames: total, p50Ms: expect.any(Number), p99Ms: expect.any(Number) },
    });
  });

  it('serves the metrics that docs/metrics.md lists', async () => {
    const { documented, served } = await metricRows(
      'media-worker',
      await (await ask('/metrics')).text(),
    );
    expect(documented).toEqual(served);
  });

  it('tells its state for people', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: KEYING });
    await host.settled();
    const stats = await (await ask('/v1/stats')).json();
    expect(stats).toMatchObject({
      workerId: bench.worker.workerId,
      draining: false,
      decodeThreads: 2,
      decodeThreadRestarts: 0,
      decodeEngine: { name: 'wasm', version: expect.stringContaining('libopus') },
      failedStreams: 0,
      events: { redisUp: true, refused: 0 },
    });
    // Those of other tests may not be gone yet.
    const own = expect.objectContaining({ callId, epoch: 1, linked: true, streams: 1 });
    expect(stats).toMatchObject({ calls: expect.arrayContaining([own]) });
    await host.bye();
  });
});

/** The roster is asked whose a source is while levels go out. */
async function firstNamedLevels(
  response: Response,
  callId: string,
): Promise<{ streams: readonly { participant: unknown }[] }> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    for (const block of text.split('\n\n').slice(0, -1)) {
      if (!block.startsWith('data: ')) continue;
      const levels = JSON.parse(block.slice('data: '.length));
      if (levels.callId === callId && levels.streams[0]?.participant !== null) return levels;
    }
  }
  throw new Error('levels with a name must come before the end');
}

async function framesByOutcome(): Promise<Map<string, number>> {
  const text = await (await ask('/metrics')).text();
  const found = text.matchAll(/^earshot_frames_total\{.*outcome="(\w+)".*\} (\d+)$/gm);
  return new Map(Array.from(found, ([, outcome = '', count]) => [outcome, Number(count)]));
}
