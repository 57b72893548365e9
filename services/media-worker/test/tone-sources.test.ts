import { generateSequence } from '@earshot/dtmf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode, join, silence } from './sound.js';
import { Bench } from './test-bench.js';
import type { TestHost } from './test-host.js';

const MEDIA_EPOCH_TICKS = 638_000_000_000_000_000n;
const FIRST_MS = 500;
const EVERY_MS = 90;
/** Keys pressed as fast as they can be told apart, each heard from 500 ms on every 90 ms. */
const KEYING = encode(
  join(
    silence(FIRST_MS),
    generateSequence({ digits: '1155#', toneMs: 45, pauseMs: 45, sampleRateHz: 16_000 }),
    silence(500),
  ),
);
const TONES = ['tone1', 'tone1', 'tone5', 'tone5', 'pound'];

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterAll(() => bench.close());

function report(host: TestHost, tone: string, atMs: number, sourceId?: string): void {
  const captureTicks = String(MEDIA_EPOCH_TICKS + BigInt(atMs * 10_000));
  host.send({ type: 'tone', tone, captureTicks, ...(sourceId === undefined ? {} : { sourceId }) });
}

function reportAll(host: TestHost, sourceId?: string): void {
  for (const [n, tone] of TONES.entries())
    report(host, tone, FIRST_MS + n * EVERY_MS + 60, sourceId);
}

function told(callId: string): string {
  return bench
    .ofType(callId, 'tone.detected')
    .map(({ data, sourceId }) => `${data.digit}${sourceId ?? '?'}${data.origin}`)
    .join(' ');
}

describe('tones', () => {
  it('are told when the host alone reports them', async () => {
    const { host, callId } = await bench.host();
    report(host, 'pound', 1250, '11');
    report(host, 'flash', 1250);
    await host.bye();
    await bench.stopped(callId);
    expect(bench.ofType(callId, 'tone.detected').map(({ data }) => data)).toEqual([
      {
        ...{ kind: 'dtmf', digit: '#', startMs: 1250, durationMs: 0, origin: 'host' },
        ...{ levelDbfs: null, twistDb: null, confidence: null, acrossGap: false },
      },
    ]);
  });

  it('that the host reports before they are heard are told once, as reported', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    reportAll(host, '11');
    await host.play({ 1: KEYING });
    await host.bye();
    await bench.stopped(callId);
    expect(told(callId)).toBe('111host 111host 511host 511host #11host');
    const response = await fetch(`${bench.worker.url}/metrics`);
    expect(/^earshot_tones_folded_total\S* (\d+)$/m.exec(await response.text())?.[1]).toBe('5');
  });

  it('that are heard before the host reports them are told once, with length and level', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    await host.play({ 1: KEYING });
    await host.settled();
    await bench.until(() => bench.ofType(callId, 'tone.detected').length === TONES.length);
    reportAll(host);
    await host.bye();
    await bench.stopped(callId);
    expect(told(callId)).toBe('111inBand 111inBand 511inBand 511inBand #11inBand');
    expect(bench.ofType(callId, 'tone.detected').every(({ data }) => data.durationMs > 0)).toBe(
      true,
    );
  });

  it('are named where the mix is heard beside their source', async () => {
    const { host, callId } = await bench.host();
    host.open(1, '11');
    host.open(2, undefined);
    await host.play({ 1: KEYING, 2: KEYING });
    await host.bye();
    await bench.stopped(callId);
    expect(told(callId)).toBe('111inBand 111inBand 511inBand 511inBand #11inBand');
  });

  it('of the mix alone are nobody’s', async () => {
    const { host, callId } = await bench.host();
    host.open(2, undefined);
    await host.play({ 2: KEYING });
    await host.bye();
    await bench.stopped(callId);
    expect(told(callId)).toBe('1?inBand 1?inBand 5?inBand 5?inBand #?inBand');
  });
});
