import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameCursor, LIMITS } from '../src/index.js';
import { anyFrame, messageOf, readAll } from './frames.js';
import { bytesOf, frameVectors } from './vectors.js';

describe('FrameCursor', () => {
  test.each(frameVectors.valid)('reads the vector: $name', ({ hex, frames }) => {
    const cursor = new FrameCursor();
    expect(cursor.open(bytesOf(hex))).toBeUndefined();
    expect(cursor.frameCount).toBe(frames.length);
    expect(readAll(cursor)).toEqual(frames);
    expect(cursor.next()).toBe(false);
  });

  test.each(frameVectors.invalid)('refuses the vector: $name', ({ hex, code, closeCode }) => {
    const cursor = new FrameCursor();
    expect(cursor.open(bytesOf(hex))).toMatchObject({ code, closeCode });
    expect(cursor.frameCount).toBe(0);
    expect(cursor.next()).toBe(false);
  });

  test('reads a message that lies within a larger buffer', () => {
    const [vector] = frameVectors.valid.filter((v) => v.frames.length === 3);
    const message = bytesOf(vector!.hex);
    const larger = new Uint8Array(message.length + 20).fill(0xff);
    larger.set(message, 7);
    const cursor = new FrameCursor();
    expect(cursor.open(larger.subarray(7, 7 + message.length))).toBeUndefined();
    expect(readAll(cursor)).toEqual(vector!.frames);
  });

  test('refuses a message over the limit with 4413', () => {
    const message = new Uint8Array(LIMITS.maxMessageBytes + 1);
    expect(new FrameCursor().open(message)).toMatchObject({ code: 'too_large', closeCode: 4413 });
  });

  test('forgets the message before, on an error and on close', () => {
    const message = bytesOf(frameVectors.valid.find((v) => v.frames.length === 1)!.hex);
    const cursor = new FrameCursor();
    cursor.open(message);
    expect(cursor.open(message.subarray(1))).toBeDefined();
    expect(cursor.bytes).toHaveLength(0);
    cursor.open(message);
    cursor.close();
    expect(cursor.next()).toBe(false);
    expect(cursor.bytes).toHaveLength(0);
  });

  test('what was written is read back', () => {
    const cursor = new FrameCursor();
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 30 }), (frames) => {
        expect(cursor.open(messageOf(frames))).toBeUndefined();
        expect(readAll(cursor)).toEqual(frames);
      }),
    );
  });

  test('a message cut at any byte is an error', () => {
    const cursor = new FrameCursor();
    fc.assert(
      fc.property(fc.array(anyFrame, { minLength: 1, maxLength: 4 }), (frames) => {
        const message = messageOf(frames);
        for (let length = 0; length < message.length; length += 1) {
          if (cursor.open(message.subarray(0, length)) === undefined) return false;
        }
        return true;
      }),
      { numRuns: 30 },
    );
  });

  test('garbage never throws, and no payload reaches past the end', () => {
    const cursor = new FrameCursor();
    fc.assert(
      fc.property(anyGarbage, (bytes) => {
        if (cursor.open(bytes) !== undefined) return !cursor.next();
        let end = 4;
        while (cursor.next()) {
          if (cursor.payloadOffset !== end + 18) return false;
          end = cursor.payloadOffset + cursor.payloadLength;
        }
        return end === bytes.length;
      }),
      { numRuns: 2000 },
    );
  });
});

/** Bytes, some of which pass the first checks, and good messages with a few bytes changed. */
const anyGarbage = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(fc.integer({ min: 0, max: 4 }), fc.uint8Array({ maxLength: 120 }))
    .map(([count, rest]) => Uint8Array.of(1, 1, 0, count, ...rest)),
  fc
    .tuple(
      fc.array(anyFrame, { minLength: 1, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat({ max: 80 }), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
    )
    .map(([frames, changes]) => {
      const message = messageOf(frames);
      for (const [at, value] of changes) message[at % message.length] = value;
      return message;
    }),
);
