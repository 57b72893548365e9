import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createOpusEngine, opusPacketDurationMs } from '../src/index.js';
import { buzz, encodeAll, joinPackets } from './signals.js';

// TOC = configuration << 3 | stereo << 2 | code (RFC 6716 §3.1, tables 2 and 3).
test.each([
  ['SILK 10 ms', [0 << 3], 10],
  ['SILK 60 ms', [11 << 3], 60],
  ['hybrid 20 ms', [13 << 3], 20],
  ['CELT 2.5 ms', [16 << 3], 2.5],
  ['CELT 20 ms, two frames', [(31 << 3) | 1], 40],
  ['CELT 10 ms, two unequal frames', [(30 << 3) | 2], 20],
  ['SILK 20 ms, six frames', [(9 << 3) | 3, 6], 120],
  ['padding and VBR bits are no count', [(9 << 3) | 3, 0xc1], 20],
  ['no frames', [(9 << 3) | 3, 0], 0],
  ['more than 120 ms', [(9 << 3) | 3, 7], 0],
  ['count byte missing', [(9 << 3) | 3], 0],
  ['empty', [], 0],
])('%s', (_name, bytes, durationMs) => {
  expect(opusPacketDurationMs(Uint8Array.from(bytes))).toBe(durationMs);
});

test('agrees with libopus on every packet that decodes', async () => {
  const engine = await createOpusEngine();
  const decoder = engine
    .createDecoderPool({ sampleRateHz: 48_000, channels: 1, capacity: 1 })
    .acquire();
  const frames = encodeAll(engine, buzz(1, 8));
  const out = new Int16Array(5760);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.uint8Array({ maxLength: 40 }),
      (count, noise) => {
        for (const packet of [joinPackets(frames.slice(0, count)), noise]) {
          const samples = decoder.decode(packet, 0, packet.length, out);
          if (samples > 0) expect(samples / 48).toBe(opusPacketDurationMs(packet));
        }
      },
    ),
  );
});
