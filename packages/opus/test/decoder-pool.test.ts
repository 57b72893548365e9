import { CodedError } from '@earshot/async';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { EngineMemory } from '../src/engine-memory.js';
import type { DecoderPool, OpusDecoder } from '../src/index.js';
import { createOpusEngine, OPUS_ERROR, OpusEngine } from '../src/index.js';
import { loadOpusModule } from '../src/opusscript-module.js';
import { buzz, decodeAlone, encodeAll, FRAME, joinPackets } from './signals.js';

const STREAMS = 6;
const PACKETS = 40;
const PCM16K = { sampleRateHz: 16_000, channels: 1 } as const;

let engine: OpusEngine;
let streams: Uint8Array[][];
/** What a lone decoder makes of each stream. */
let expected: Int16Array[][];

beforeAll(async () => {
  const source = await createOpusEngine();
  streams = Array.from({ length: STREAMS }, (_, seed) => encodeAll(source, buzz(seed, PACKETS)));
  expected = [];
  for (const packets of streams) expected.push(decodeAlone(await createOpusEngine(), packets));
  engine = await createOpusEngine();
});

function expectPacket(decoder: OpusDecoder, stream: number, index: number): void {
  const packet = streams[stream]![index]!;
  const out = new Int16Array(FRAME);
  const samples = decoder.decode(packet, 0, packet.length, out);
  // Comparing buffers first: the slow, readable comparison only runs on a failure.
  const want = expected[stream]![index]!;
  if (
    samples !== FRAME ||
    Buffer.compare(Buffer.from(out.buffer), Buffer.from(want.buffer)) !== 0
  ) {
    expect({ stream, index, samples, out }).toEqual({ stream, index, samples: FRAME, out: want });
  }
}

describe('many decoders', () => {
  test('300 interleaved, with churn, decode like a lone one', async () => {
    const pool = (await createOpusEngine()).createDecoderPool({ ...PCM16K, capacity: 300 });
    const users = Array.from({ length: 300 }, (_, i) => ({
      decoder: pool.acquire(),
      stream: i % STREAMS,
      index: i % 7,
    }));
    for (const user of users) {
      for (let i = 0; i < user.index; i++) expectPacket(user.decoder, user.stream, i);
    }
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
    expect(pool.inUse).toBe(300);
  });

  test('memory growth in mid-stream changes nothing', () => {
    const module = loadOpusModule();
    const grown = new OpusEngine(new EngineMemory(module));
    const pool = grown.createDecoderPool({ sampleRateHz: 16_000, channels: 1, capacity: 400 });
    const decoder = pool.acquire();
    for (let i = 0; i < 10; i++) expectPacket(decoder, 0, i);
    const before = module.HEAPU8;
    while (module.HEAPU8 === before) pool.acquire();
    expect(before.length).toBe(0);
    for (let i = 10; i < PACKETS; i++) expectPacket(decoder, 0, i);
  });

  test('stereo at 48 kHz beside mono at 16 kHz', () => {
    const mono = engine.createDecoderPool({ ...PCM16K, capacity: 1 }).acquire();
    const stereoPool = engine.createDecoderPool({
      sampleRateHz: 48_000,
      channels: 2,
      capacity: 60,
    });
    const packet = encodeAll(engine, buzz(1, 2, 960 * 2), {
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

  test('the pool ends at its capacity and goes on after a release', () => {
    const second = pool.acquire();
    expect(() => pool.acquire()).toThrow(
      new CodedError(
        'decoder_pool_exhausted',
        'Cannot acquire a decoder: at most 2 may be in use, got a request for one more',
      ),
    );
    second.release();
    second.release();
    expect(pool.inUse).toBe(1);
    pool.acquire().release();
    const packet = streams[0]![0]!;
    expect(second.decode(packet, 0, packet.length, new Int16Array(FRAME))).toBe(
      OPUS_ERROR.invalidState,
    );
  });

  test.each([
    [{ sampleRateHz: 44_100, channels: 1, capacity: 1 }, /sample rate.*got 44100/],
    [{ sampleRateHz: 16_000, channels: 3, capacity: 1 }, /channels.*got 3/],
    [{ sampleRateHz: 16_000, channels: 1, capacity: 0 }, /capacity.*got 0/],
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
        expect(samples).toBeLessThanOrEqual(1920);
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
