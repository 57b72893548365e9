import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CODEC, FrameBatchWriter, FrameCursor, LIMITS } from '../src/index.js';
import { anyFrame, append } from './frames.js';
import { hexOf, readFrames, vectors } from './vectors.js';

describe('FrameBatchWriter', () => {
  test.each(vectors.frames.valid)(
    'writes the vector: kind $kind, $name',
    ({ kind, hex, frames }) => {
      const writer = new FrameBatchWriter(LIMITS.maxMessageBytes, kind);
      for (const frame of frames) expect(append(writer, frame)).toBe(true);
      expect(writer.frameCount).toBe(frames.length);
      expect(hexOf(writer.finish())).toBe(hex);
    },
  );

  test('says when it is full, and starts again after reset', () => {
    const writer = new FrameBatchWriter(1400);
    const packet = new Uint8Array(600).fill(7);
    expect(writer.append(1, CODEC.opus, 0, 1, 0, 0, packet)).toBe(true);
    expect(writer.append(1, CODEC.opus, 0, 2, 0, 0, packet)).toBe(true);
    expect(writer.append(1, CODEC.opus, 0, 3, 0, 0, packet)).toBe(false);
    expect(writer.frameCount).toBe(2);
    expect(writer.finish()).toHaveLength(4 + 2 * 618);
    writer.reset();
    expect(writer.append(1, CODEC.opus, 0, 3, 0, 0, packet)).toBe(true);
    expect(writer.finish()).toHaveLength(4 + 618);
  });

  test('holds no more frames than a message may', () => {
    const writer = new FrameBatchWriter();
    for (let n = 0; n < LIMITS.maxFramesPerMessage; n += 1) {
      expect(writer.append(1, CODEC.silence, 0, n, 0, 0, null)).toBe(true);
    }
    expect(writer.append(1, CODEC.silence, 0, 0, 0, 0, null)).toBe(false);
    expect(new FrameCursor().open(writer.finish())).toBeUndefined();
  });

  test('takes sequences and ticks modulo 2^32', () => {
    const writer = new FrameBatchWriter();
    writer.append(1, CODEC.silence, 0, 2 ** 32 + 5, -1, 2 ** 32 - 1, null);
    const cursor = new FrameCursor();
    cursor.open(writer.finish());
    const [frame] = readFrames(cursor);
    expect(frame).toMatchObject({ sequence: 5, captureTicks: '18446744073709551615' });
  });

  test('refuses what no message may hold, and stays as it was', () => {
    const writer = new FrameBatchWriter();
    const opus = new Uint8Array(3);
    const bad: [number, number, Uint8Array | null][] = [
      [0, CODEC.opus, opus],
      [65_536, CODEC.opus, opus],
      [1.5, CODEC.opus, opus],
      [1, CODEC.silence, opus],
      [1, CODEC.opus, null],
      [1, CODEC.opus, new Uint8Array(1276)],
      [1, CODEC.pcm16, new Uint8Array(641)],
      [1, 3, opus],
    ];
    for (const [streamId, codec, payload] of bad) {
      expect(() => writer.append(streamId, codec, 0, 0, 0, 0, payload)).toThrow(RangeError);
    }
    expect(hexOf(writer.finish())).toBe('01010000');
  });

  test('refuses a size in which a legal frame does not fit, or that is too large', () => {
    expect(() => new FrameBatchWriter(1296)).toThrow(RangeError);
    expect(() => new FrameBatchWriter(LIMITS.maxMessageBytes + 1)).toThrow(RangeError);
    const smallest = new FrameBatchWriter(1297);
    expect(smallest.append(1, CODEC.opus, 0, 0, 0, 0, new Uint8Array(1275))).toBe(true);
  });

  test('a stream of frames in messages of any size comes out the same', () => {
    const sizes = fc.integer({ min: 1297, max: 8000 });
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 30 }), sizes, (frames, maxBytes) => {
        const writer = new FrameBatchWriter(maxBytes);
        const cursor = new FrameCursor();
        const read: unknown[] = [];
        const flush = (): void => {
          expect(cursor.open(writer.finish())).toBeUndefined();
          read.push(...readFrames(cursor));
          writer.reset();
        };
        for (const frame of frames) {
          if (append(writer, frame)) continue;
          flush();
          expect(append(writer, frame)).toBe(true);
        }
        flush();
        expect(read).toEqual(frames);
      }),
    );
  });
});
