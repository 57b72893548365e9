// What every engine must do, on the same packets. SILK is exact in all versions of libopus; CELT
// may differ by a bit or two between them.
import { CodedError } from '@earshot/async';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DecoderPool, OpusDecoder, OpusEngine, OpusSampleRateHz } from '../src/index.js';
import { createOpusEngine, encodeFrames, OPUS_ERROR } from '../src/index.js';
import { OpusscriptEngine } from '../src/opusscript/opusscript-engine.js';
import { loadOpusModule } from '../src/opusscript/opusscript-module.js';
import { ENGINES } from './engines.js';
import { buzz, decodeAlone, encodeAll, FRAME, joinPackets } from './signals.js';

const STREAMS = 6;
const PACKETS = 40;
const PCM16K = { sampleRateHz: 16_000, channels: 1 } as const;
/** CELT between libopus 1.4 and 1.5 (measured: 1 on speech). */
const CELT_TOLERANCE = 2;

let oracle: OpusEngine;
let streams: Uint8Array[][];
/** What a lone decoder of the oracle makes of each stream. */
let expected: Int16Array[][];

beforeAll(async () => {
  oracle = await createOpusEngine({ engine: 'opusscript' });
  streams = Array.from({ length: STREAMS }, (_, seed) => encodeAll(oracle, buzz(seed, PACKETS)));
  expected = streams.map((packets) => decodeAlone(new OpusscriptEngine(), packets));
});

function expectPacket(decoder: OpusDecoder, stream: number, index: number): void {
  const packet = streams[stream]![index]!;
  const out = new Int16Array(FRAME);
  const samples = decoder.decode(packet, 0, packet.length, out);
  expectFrame(out, samples, stream, index);
}

function expectFrame(out: Int16Array, samples: number, stream: number, index: number): void {
  // Comparing first: the slow, readable comparison only runs on a failure.
  const want = expected[stream]![index]!;
  if (samples !== FRAME || !out.every((sample, i) => sample === want[i])) {
    expect({ stream, index, samples, out }).toEqual({ stream, index, samples: FRAME, out: want });
  }
}

function largestDifference(a: Int16Array, b: Int16Array): number {
  return a.reduce((largest, sample, i) => Math.max(largest, Math.abs(sample - b[i]!)), 0);
}

describe.each(ENGINES)('%s', (name) => {
  let engine: OpusEngine;
  beforeAll(async () => {
    engine = await createOpusEngine({ engine: name });
  });

  test('says what it is', () => {
    expect(engine.name).toBe(name);
    expect(engine.version).toMatch(/^libopus 1\.\d/);
  });

  describe('many decoders', () => {
    test('500 interleaved, with churn, decode like a lone one', () => {
      const pool = engine.createDecoderPool({ ...PCM16K, capacity: 500 });
      const users = Array.from({ length: 500 }, (_, i) => ({
        decoder: pool.acquire(),
        stream: i % STREAMS,
        index: 0,
      }));
      for (let round = 0; round < 45; round++) {
        for (const [i, user] of users.entries()) {
          if ((i * 7 + round) % 31 === 0 || user.index === PACKETS) {
            user.decoder.release();
            user.decoder = pool.acquire();
            user.stream = (user.stream + 1) % STREAMS;
            user.index = 0;
          }
          expectPacket(user.decoder, user.stream, user.index++);
        }
      }
      expect(pool.inUse).toBe(500);
    });

    test('stereo at 48 kHz beside mono at 16 kHz', () => {
      const mono = engine.createDecoderPool({ ...PCM16K, capacity: 1 }).acquire();
      const stereoPool = engine.createDecoderPool({
        sampleRateHz: 48_000,
        channels: 2,
        capacity: 60,
      });
      const packet = encodeAll(oracle, buzz(1, 2, 960 * 2), {
        sampleRateHz: 48_000,
        channels: 2,
      })[0]!;
      const outs = Array.from({ length: 60 }, () => new Int16Array(1920));
      for (const [i, out] of outs.entries()) {
        expect(stereoPool.acquire().decode(packet, 0, packet.length, out)).toBe(960);
        if (i < PACKETS) expectPacket(mono, 2, i);
      }
      expect(outs[0]!.some((sample) => sample !== 0)).toBe(true);
      for (const out of outs) expect(out).toEqual(outs[0]);
    });
  });

  describe('the same PCM as the oracle', () => {
    const rates: readonly OpusSampleRateHz[] = [8000, 12_000, 16_000, 24_000, 48_000];
    const kinds = [
      { kind: 'SILK, mono', channels: 1, bitrateBps: 24_000, rate: 16_000, application: 'voip' },
      { kind: 'hybrid, mono', channels: 1, bitrateBps: 32_000, rate: 48_000, application: 'voip' },
      { kind: 'CELT, stereo', channels: 2, bitrateBps: 96_000, rate: 48_000, application: 'audio' },
    ] as const;

    test.each(kinds.flatMap((kind) => rates.map((outRateHz) => ({ ...kind, outRateHz }))))(
      '$kind at $outRateHz Hz',
      ({ channels, bitrateBps, rate, application, outRateHz }) => {
        const options = { sampleRateHz: rate, channels, bitrateBps, dtx: false, application };
        const packets = encodeFrames(oracle, buzz(3, 50, (rate / 50) * channels), options);
        for (const out of [1, 2] as const) {
          const format = { sampleRateHz: outRateHz, channels: out, capacity: 1 };
          const ours = engine.createDecoderPool(format).acquire();
          const theirs = oracle.createDecoderPool(format).acquire();
          const a = new Int16Array((outRateHz / 50) * out);
          const b = new Int16Array(a.length);
          for (const packet of packets) {
            const samples = ours.decode(packet, 0, packet.length, a);
            expect(samples).toBe(theirs.decode(packet, 0, packet.length, b));
            expect(samples).toBe(outRateHz / 50);
            const tolerance = application === 'voip' && rate === 16_000 ? 0 : CELT_TOLERANCE;
            expect(largestDifference(a, b)).toBeLessThanOrEqual(tolerance);
          }
          theirs.release();
        }
      },
    );
  });

  describe('state', () => {
    test('reset equals fresh', () => {
      const decoder = engine.createDecoderPool({ ...PCM16K, capacity: 1 }).acquire();
      for (let stream = 0; stream < STREAMS; stream++) {
        for (let i = 0; i < 5 + stream; i++) expectPacket(decoder, stream, i);
        decoder.reset();
      }
    });

    test('without a reset the streams would mix', () => {
      const decoder = engine.createDecoderPool({ ...PCM16K, capacity: 1 }).acquire();
      for (let i = 0; i < 5; i++) expectPacket(decoder, 0, i);
      const out = new Int16Array(FRAME);
      decoder.decode(streams[1]![0]!, 0, streams[1]![0]!.length, out);
      expect(out).not.toEqual(expected[1]![0]);
    });

    test('offset and length select the packet; samples beyond it stay', () => {
      const decoder = engine.createDecoderPool({ ...PCM16K, capacity: 1 }).acquire();
      const packet = streams[0]![0]!;
      const message = new Uint8Array(packet.length + 30).fill(0xff);
      message.set(packet, 18);
      const out = new Int16Array(FRAME + 80).fill(1234);
      expect(decoder.decode(message, 18, packet.length, out)).toBe(FRAME);
      expect(out.subarray(0, FRAME)).toEqual(expected[0]![0]);
      expect(out.subarray(FRAME).every((sample) => sample === 1234)).toBe(true);
    });
  });

  describe('losses', () => {
    test('conceals exactly what is missing, as the oracle does', () => {
      const ours = engine.createDecoderPool({ ...PCM16K, capacity: 1 }).acquire();
      const theirs = new OpusscriptEngine().createDecoderPool({ ...PCM16K, capacity: 1 }).acquire();
      const lost = new Set([5, 6, 11, 20, 21, 22, 23, 24, 39]);
      for (const [i, packet] of streams[2]!.entries()) {
        const a = new Int16Array(FRAME + 1).fill(77);
        const b = new Int16Array(FRAME + 1).fill(77);
        for (const [decoder, out] of [
          [ours, a],
          [theirs, b],
        ] as const) {
          const samples = lost.has(i)
            ? decoder.conceal(FRAME, out)
            : decoder.decode(packet, 0, packet.length, out);
          expect(samples).toBe(FRAME);
        }
        expect(a).toEqual(b);
      }
    });

    test('several frames at once are those frames one by one', () => {
      const pool = engine.createDecoderPool({ ...PCM16K, capacity: 2 });
      const [once, each] = [pool.acquire(), pool.acquire()];
      for (let i = 0; i < 8; i++) {
        expectPacket(once, 1, i);
        expectPacket(each, 1, i);
      }
      const whole = new Int16Array(3 * FRAME);
      expect(once.conceal(3 * FRAME, whole)).toBe(3 * FRAME);
      for (let i = 0; i < 3; i++) {
        const part = new Int16Array(FRAME);
        expect(each.conceal(FRAME, part)).toBe(FRAME);
        expect(part).toEqual(whole.subarray(i * FRAME, (i + 1) * FRAME));
      }
    });

    test('before the first packet a loss is silence', () => {
      const decoder = engine.createDecoderPool({ ...PCM16K, capacity: 1 }).acquire();
      const out = new Int16Array(FRAME).fill(9);
      expect(decoder.conceal(FRAME, out)).toBe(FRAME);
      expect(out.every((sample) => sample === 0)).toBe(true);
    });

    test('a loss that is not of whole frames, or too long, is refused', () => {
      const decoder = engine.createDecoderPool({ ...PCM16K, capacity: 1 }).acquire();
      const out = new Int16Array(5760);
      expect(decoder.conceal(0, out)).toBe(OPUS_ERROR.badArgument);
      expect(decoder.conceal(41, out)).toBe(OPUS_ERROR.badArgument);
      expect(decoder.conceal(-FRAME, out)).toBe(OPUS_ERROR.badArgument);
      expect(decoder.conceal(2 * FRAME, new Int16Array(FRAME))).toBe(OPUS_ERROR.bufferTooSmall);
      expect(decoder.conceal(13 * FRAME, out)).toBe(OPUS_ERROR.bufferTooSmall);
    });

    test('recovers a lost frame from the FEC of the next, or conceals', () => {
      const pcm = buzz(4, PACKETS);
      const packets = encodeAll(oracle, pcm, { fecLossPercent: 20, bitrateBps: 32_000 });
      const pool = engine.createDecoderPool({ ...PCM16K, capacity: 3 });
      const [whole, recovered, concealed] = [pool.acquire(), pool.acquire(), pool.acquire()];
      let errorOfRecovered = 0;
      let errorOfConcealed = 0;
      for (const [i, packet] of packets.entries()) {
        const want = new Int16Array(FRAME);
        whole.decode(packet, 0, packet.length, want);
        const isLost = i > 4 && i % 6 === 0;
        for (const decoder of [recovered, concealed]) {
          const out = new Int16Array(FRAME);
          const next = packets[i + 1];
          if (!isLost || next === undefined) {
            decoder.decode(packet, 0, packet.length, out);
            continue;
          }
          const made =
            decoder === recovered
              ? decoder.recover(next, 0, next.length, FRAME, out)
              : decoder.conceal(FRAME, out);
          expect(made).toBe(FRAME);
          const error = out.reduce((sum, sample, n) => sum + (sample - want[n]!) ** 2, 0);
          if (decoder === recovered) errorOfRecovered += error;
          else errorOfConcealed += error;
        }
      }
      if (engine.recoversFec) expect(errorOfRecovered).toBeLessThan(0.8 * errorOfConcealed);
      else expect(errorOfRecovered).toBe(errorOfConcealed);
    });

    test('without FEC in the packet, recovering is concealing', () => {
      const pool = engine.createDecoderPool({ ...PCM16K, capacity: 2 });
      const [one, other] = [pool.acquire(), pool.acquire()];
      for (let i = 0; i < 9; i++) {
        expectPacket(one, 3, i);
        expectPacket(other, 3, i);
      }
      const a = new Int16Array(FRAME);
      const b = new Int16Array(FRAME);
      const next = streams[3]![10]!;
      expect(one.recover(next, 0, next.length, FRAME, a)).toBe(FRAME);
      expect(other.conceal(FRAME, b)).toBe(FRAME);
      expect(a).toEqual(b);
      expect(one.recover(new Uint8Array([0xff]), 0, 1, FRAME, a)).toBe(FRAME);
      expect(other.conceal(FRAME, b)).toBe(FRAME);
      expect(a).toEqual(b);
    });
  });

  describe('batch', () => {
    const entries = 8;
    let pool: DecoderPool;
    beforeAll(() => {
      pool = engine.createDecoderPool({
        ...PCM16K,
        capacity: entries + 1,
        batch: { entries, maxPacketBytes: 400, maxSamples: FRAME },
      });
    });

    test('decodes each entry by its own decoder, packet by packet', () => {
      const decoders = Array.from({ length: entries }, () => pool.acquire());
      const { batch } = pool;
      for (let i = 0; i < PACKETS; i++) {
        for (const [entry, decoder] of decoders.entries()) {
          const packet = streams[entry % STREAMS]![i]!;
          batch.packets[entry]!.set(packet);
          batch.set(entry, decoder, packet.length);
        }
        batch.run(entries);
        for (const entry of decoders.keys()) {
          expectFrame(batch.pcm[entry]!, batch.results[entry]!, entry % STREAMS, i);
        }
      }
      for (const decoder of decoders) decoder.release();
    });

    test('only the entries counted are decoded, and one bad entry is only its own loss', () => {
      const { batch } = pool;
      const decoders = Array.from({ length: 4 }, () => pool.acquire());
      const packet = streams[0]![0]!;
      decoders[2]!.release();
      for (const [entry, decoder] of decoders.entries()) {
        batch.packets[entry]!.set(packet);
        batch.set(entry, decoder, packet.length);
        batch.results[entry] = 4321;
      }
      batch.packets[1]!.fill(0xff);
      batch.run(3);
      expectFrame(batch.pcm[0]!, batch.results[0]!, 0, 0);
      expect(batch.results[1]).toBeLessThan(0);
      expect(batch.results[2]).toBe(OPUS_ERROR.invalidState);
      expect(batch.results[3]).toBe(4321);
      for (const decoder of decoders) decoder.release();
    });

    test('empty and oversize entries are errors', () => {
      const { batch } = pool;
      const decoder = pool.acquire();
      batch.packets[1]!.set(streams[0]![0]!);
      batch.set(0, decoder, 0);
      batch.set(1, decoder, 401);
      batch.run(2);
      expect([...batch.results.subarray(0, 2)]).toEqual([
        OPUS_ERROR.invalidPacket,
        OPUS_ERROR.invalidPacket,
      ]);
      expect(() => batch.set(entries, decoder, 1)).toThrow(/from 0 to 7, got 8/);
      expectPacket(decoder, 0, 0);
      decoder.release();
    });

    test('its memory is decoded in place by a decoder too', () => {
      const decoder = pool.acquire();
      const { packets, pcm } = pool.batch;
      packets[5]!.set(streams[5]![0]!);
      const samples = decoder.decode(packets[5]!, 0, streams[5]![0]!.length, pcm[2]!);
      expectFrame(pcm[2]!, samples, 5, 0);
      decoder.release();
    });
  });

  describe('refusals', () => {
    let pool: DecoderPool;
    let decoder: OpusDecoder;
    beforeAll(() => {
      pool = engine.createDecoderPool({ ...PCM16K, capacity: 2 });
      decoder = pool.acquire();
    });

    test('an empty packet is an error, not concealment', () => {
      expect(decoder.decode(new Uint8Array(0), 0, 0, new Int16Array(5760))).toBe(
        OPUS_ERROR.invalidPacket,
      );
    });

    test('a packet longer than the output is refused before it touches the state', () => {
      decoder.reset();
      const long = joinPackets(streams[0]!.slice(0, 3));
      expect(decoder.decode(long, 0, long.length, new Int16Array(FRAME))).toBe(
        OPUS_ERROR.bufferTooSmall,
      );
      for (let i = 0; i < 3; i++) expectPacket(decoder, 0, i);
      decoder.reset();
      expect(decoder.decode(long, 0, long.length, new Int16Array(960))).toBe(960);
    });

    test('a range outside the bytes is refused', () => {
      const packet = streams[0]![0]!;
      const out = new Int16Array(FRAME);
      expect(decoder.decode(packet, 1, packet.length, out)).toBe(OPUS_ERROR.badArgument);
      expect(decoder.decode(packet, -1, packet.length, out)).toBe(OPUS_ERROR.badArgument);
      expect(decoder.decode(packet, 0, -1, out)).toBeLessThan(0);
    });

    test('every truncation of a packet is an error or a frame, and the next packet decodes', () => {
      const packet = streams[1]![3]!;
      const out = new Int16Array(FRAME);
      for (let length = 0; length < packet.length; length++) {
        const samples = decoder.decode(packet, 0, length, out);
        expect(samples === FRAME || samples < 0).toBe(true);
      }
      decoder.reset();
      expectPacket(decoder, 1, 0);
    });

    test('the pool ends at its capacity and goes on after a release', () => {
      const second = pool.acquire();
      expect(() => pool.acquire()).toThrow(
        new CodedError(
          'decoder_pool_exhausted',
          'Cannot acquire: at most 2 decoders may be in use, got a request for one more',
        ),
      );
      second.release();
      second.release();
      expect(pool.inUse).toBe(1);
      pool.acquire().release();
      const packet = streams[0]![0]!;
      const out = new Int16Array(FRAME);
      expect(second.decode(packet, 0, packet.length, out)).toBe(OPUS_ERROR.invalidState);
      expect(second.conceal(FRAME, out)).toBe(OPUS_ERROR.invalidState);
      expect(second.recover(packet, 0, packet.length, FRAME, out)).toBe(OPUS_ERROR.invalidState);
    });

    test.each([
      [{ sampleRateHz: 44_100, channels: 1, capacity: 1 }, /sample rate.*got 44100/],
      [{ sampleRateHz: 16_000, channels: 3, capacity: 1 }, /channels.*got 3/],
      [{ sampleRateHz: 16_000, channels: 1, capacity: 0 }, /capacity.*got 0/],
      [
        { ...PCM16K, capacity: 1, batch: { entries: 0, maxPacketBytes: 1, maxSamples: 1 } },
        /batch.entries.*got 0/,
      ],
      [
        { ...PCM16K, capacity: 1, batch: { entries: 1, maxPacketBytes: 1, maxSamples: 9999 } },
        /batch.maxSamples.*1920, got 9999/,
      ],
    ])('options %o', (options, message) => {
      // @ts-expect-error: what plain JavaScript may pass
      expect(() => engine.createDecoderPool(options)).toThrow(message);
    });
  });

  test('random bytes never throw, never break this stream or another', () => {
    const pool = engine.createDecoderPool({ ...PCM16K, capacity: 2 });
    const hit = pool.acquire();
    const other = pool.acquire();
    const out = new Int16Array(5760);
    const valid = streams[4]![3]!;
    const damaged = fc.uint8Array({ minLength: 0, maxLength: 400 });
    // Bytes after a valid TOC reach deeper into the codec than bytes alone.
    const plausible = damaged.map((bytes) => Uint8Array.from([valid[0]!, ...bytes]));
    fc.assert(
      fc.property(fc.array(fc.oneof(damaged, plausible), { maxLength: 6 }), (packets) => {
        other.reset();
        for (const [i, packet] of packets.entries()) {
          const samples = hit.decode(packet, 0, packet.length, out);
          expect(samples).toBeGreaterThanOrEqual(OPUS_ERROR.invalidState);
          expect(samples).toBeLessThanOrEqual(5760);
          expect(samples).not.toBe(0);
          expectPacket(other, 5, i);
        }
        expect(hit.decode(valid, 0, valid.length, out)).toBe(FRAME);
        hit.reset();
        expectPacket(hit, 4, 0);
      }),
      { numRuns: 400 },
    );
  });
});

test('opusscript: memory growth in mid-stream changes nothing', () => {
  const module = loadOpusModule();
  const grown = new OpusscriptEngine(module);
  const pool = grown.createDecoderPool({ ...PCM16K, capacity: 400 });
  const decoder = pool.acquire();
  for (let i = 0; i < 10; i++) expectPacket(decoder, 0, i);
  const before = module.HEAPU8;
  while (module.HEAPU8 === before) pool.acquire();
  expect(before.length).toBe(0);
  for (let i = 10; i < PACKETS; i++) expectPacket(decoder, 0, i);
});
