import { beforeAll, describe, expect, test } from 'vitest';
import type { OpusEngine } from '../src/index.js';
import { createOpusEngine, opusPacketDurationMs, opusPacketHasFec } from '../src/index.js';
import { ENGINES } from './engines.js';
import { buzz, concat, correlation, decodeAlone, encodeAll, FRAME, VOICE } from './signals.js';

const packet = new Uint8Array(1275);

describe.each(ENGINES)('%s', (name) => {
  let engine: OpusEngine;
  beforeAll(async () => {
    engine = await createOpusEngine({ engine: name });
  });

  describe('round trip', () => {
    test('speech comes back in shape and on time', () => {
      const pcm = buzz(2, 100);
      const decoded = concat(decodeAlone(engine, encodeAll(engine, pcm)));
      const { lookaheadSamples } = engine.createEncoderPool({ ...VOICE, capacity: 1 });
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

    test('FEC is in the packets when asked for', () => {
      const pcm = buzz(2, 60);
      const withFec = (packets: Uint8Array[]) =>
        packets.filter((bytes) => opusPacketHasFec(bytes, 0, bytes.length)).length;
      expect(withFec(encodeAll(engine, pcm))).toBe(0);
      expect(withFec(encodeAll(engine, pcm, { fecLossPercent: 20 }))).toBeGreaterThan(20);
    });
  });

  describe('pool', () => {
    test('a used encoder encodes like a new one', () => {
      const pool = engine.createEncoderPool({ ...VOICE, capacity: 1 });
      const pcm = buzz(1, 20);
      const encodeFrom = (first: number) => {
        const encoder = pool.acquire();
        const packets: Uint8Array[] = [];
        for (let i = first; i < 20; i++) {
          const length = encoder.encode(pcm.subarray(i * FRAME, (i + 1) * FRAME), packet);
          packets.push(packet.slice(0, length));
        }
        encoder.release();
        return packets;
      };
      const fresh = encodeFrom(0);
      encodeFrom(7);
      expect(encodeFrom(0)).toEqual(fresh);
    });

    test('ends at its capacity and goes on after a release', () => {
      const pool = engine.createEncoderPool({ ...VOICE, capacity: 1 });
      const encoder = pool.acquire();
      expect(pool.inUse).toBe(1);
      expect(() => pool.acquire()).toThrow(/at most 1 encoders may be in use/);
      encoder.release();
      encoder.release();
      expect(pool.inUse).toBe(0);
      pool.acquire().release();
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
      for (const packet of packets)
        expect(decoder.decode(packet, 0, packet.length, out)).toBe(FRAME);
    });
  });

  describe('refusals', () => {
    test('a frame that is not 20 ms', () => {
      const encoder = engine.createEncoderPool({ ...VOICE, capacity: 1 }).acquire();
      expect(() => encoder.encode(new Int16Array(160), packet)).toThrow(
        'Cannot encode: a frame must have 320 samples, got 160',
      );
    });

    test('a released encoder', () => {
      const encoder = engine.createEncoderPool({ ...VOICE, capacity: 1 }).acquire();
      encoder.release();
      expect(() => encoder.encode(new Int16Array(FRAME), packet)).toThrow(/given back/);
    });

    test('a bit rate that libopus refuses', () => {
      expect(() => engine.createEncoderPool({ ...VOICE, bitrateBps: -5, capacity: 1 })).toThrow(
        /got -5 bit\/s/,
      );
    });
  });
});
