import { beforeAll, describe, expect, test } from 'vitest';
import type { OpusEngine } from '../src/index.js';
import { createOpusEngine, opusPacketDurationMs } from '../src/index.js';
import { buzz, concat, correlation, decodeAlone, encodeAll, FRAME } from './signals.js';

const VOICE = {
  sampleRateHz: 16_000,
  channels: 1,
  bitrateBps: 24_000,
  dtx: false,
  application: 'voip',
} as const;

let engine: OpusEngine;
beforeAll(async () => {
  engine = await createOpusEngine();
});

describe('round trip', () => {
  test('speech comes back in shape and on time', () => {
    const pcm = buzz(2, 100);
    const decoded = concat(decodeAlone(engine, encodeAll(engine, pcm)));
    const { lookaheadSamples } = engine.createEncoder(VOICE);
    expect(lookaheadSamples).toBe(104);
    expect(correlation(pcm, decoded, lookaheadSamples)).toBeGreaterThan(0.95);
    expect(correlation(pcm, decoded, lookaheadSamples + 40)).toBeLessThan(0.9);
  });

  test('bit rate is heeded', () => {
    const pcm = buzz(3, 150);
    const bytes = (bitrateBps: number) =>
      encodeAll(engine, pcm, { bitrateBps }).reduce((sum, packet) => sum + packet.length, 0);
    expect(bytes(24_000) / 3).toBeGreaterThan(2000);
    expect(bytes(24_000) / 3).toBeLessThan(4000);
    expect(bytes(12_000)).toBeLessThan(0.7 * bytes(24_000));
  });

  test('packets are copies', () => {
    const encoder = engine.createEncoder(VOICE);
    const pcm = buzz(1, 2);
    const first = encoder.encode(pcm.subarray(0, FRAME));
    const kept = first.slice();
    encoder.encode(pcm.subarray(FRAME));
    expect(first).toEqual(kept);
  });
});

describe('pauses', () => {
  test('with DTX nearly all packets are 1 or 2 bytes', () => {
    const silence = new Int16Array(100 * FRAME);
    const small = (dtx: boolean) =>
      encodeAll(engine, silence, { dtx }).filter((packet) => packet.length <= 2).length;
    expect(small(true)).toBeGreaterThan(80);
    expect(small(false)).toBe(0);
  });

  test('and each still decodes to 20 ms', () => {
    const packets = encodeAll(engine, new Int16Array(60 * FRAME), { dtx: true });
    expect(new Set(packets.map(opusPacketDurationMs))).toEqual(new Set([20]));
    const decoder = engine
      .createDecoderPool({ sampleRateHz: 16_000, channels: 1, capacity: 1 })
      .acquire();
    const out = new Int16Array(FRAME);
    for (const packet of packets) expect(decoder.decode(packet, 0, packet.length, out)).toBe(FRAME);
  });
});

describe('refusals', () => {
  test('a frame that is not 20 ms', () => {
    const encoder = engine.createEncoder(VOICE);
    expect(() => encoder.encode(new Int16Array(160))).toThrow(
      'Cannot encode: a frame must have 320 samples, got 160',
    );
  });

  test('a closed encoder', () => {
    const encoder = engine.createEncoder(VOICE);
    encoder.close();
    encoder.close();
    expect(() => encoder.encode(new Int16Array(FRAME))).toThrow(/must be open, got closed/);
  });

  test('a bit rate that libopus refuses', () => {
    expect(() => engine.createEncoder({ ...VOICE, bitrateBps: -5 })).toThrow(/got -5 bit\/s/);
  });
});
