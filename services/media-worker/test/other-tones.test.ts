import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode, join, RATE_HZ, silence } from './sound.js';
import { Bench, newCallId } from './test-bench.js';
import type { TestHost } from './test-host.js';

let bench: Bench;

beforeAll(async () => {
  bench = await Bench.start();
});

afterAll(() => bench.close());

const BEEP = encode(join(silence(500), tone(1000, 400), silence(600)));

function tone(hz: number, durationMs: number): Int16Array {
  return Int16Array.from({ length: (durationMs * RATE_HZ) / 1000 }, (_, n) =>
    Math.round(5000 * Math.sin((2 * Math.PI * hz * n) / RATE_HZ)),
  );
}

async function linked(callId: string): Promise<TestHost> {
  const placed = await bench.place(callId);
  return bench.dial(placed, { virtualTime: true }).connect();
}

describe('tones that are no digits', () => {
  it('are told of a call that asks for them, through Opus', async () => {
    const callId = newCallId();
    await bench.registry.setListening(callId, { tones: ['beep'] });
    const host = await linked(callId);
    host.open(1, '11');
    await host.play({ 1: BEEP });
    await host.bye();
    await bench.stopped(callId);
    const [beep, ...others] = bench.ofType(callId, 'tone.detected');
    expect(others).toEqual([]);
    expect(beep).toMatchObject({
      id: expect.stringMatching(/\.m_1\.tone\.beep\.11\.\d+$/),
      sourceId: '11',
      data: { kind: 'beep', digit: null, origin: 'inBand', twistDb: null, acrossGap: false },
    });
    expect(Math.abs((beep?.data.startMs ?? 0) - 506)).toBeLessThanOrEqual(20);
    expect(Math.abs((beep?.data.durationMs ?? 0) - 400)).toBeLessThanOrEqual(25);
  });

  it('are told from when a call begins to ask for them', async () => {
    const callId = newCallId();
    const host = await linked(callId);
    host.open(1, '11');
    await host.play({ 1: BEEP });
    await host.settled();
    expect(bench.ofType(callId, 'tone.detected')).toEqual([]);
    await bench.registry.setListening(callId, { tones: ['beep', 'sit'] });
    while (bench.ofType(callId, 'tone.detected').length === 0) {
      await host.play({ 1: BEEP });
      await host.settled();
    }
    expect(bench.ofType(callId, 'tone.detected')[0]?.data.kind).toBe('beep');
    await host.bye();
    await bench.stopped(callId);
  });
});
