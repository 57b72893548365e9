import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameCursor, KIND, LIMITS, sequenceDistance } from '../src/index.js';
import { anyFrame, messageOf, poisoned } from './frames.js';
import { bytesOf, readFrames, vectors } from './vectors.js';

const { valid, invalid } = vectors.frames;
const anyKind = fc.constantFrom(KIND.heard, KIND.send);

describe('FrameCursor', () => {
  test.each(valid)('reads the vector: kind $kind, $name', ({ kind, hex, frames }) => {
    const cursor = new FrameCursor(kind);
    expect(cursor.open(bytesOf(hex))).toBeUndefined();
    expect(cursor.frameCount).toBe(frames.length);
    expect(readFrames(cursor)).toEqual(frames);
    expect(cursor.next()).toBe(false);
  });

  test.each(invalid)('refuses the vector: kind $kind, $name', ({ kind, hex, code, closeCode }) => {
    const cursor = new FrameCursor(kind);
    expect(cursor.open(bytesOf(hex))).toMatchObject({ code, closeCode });
    expect(cursor.frameCount).toBe(0);
    expect(cursor.next()).toBe(false);
  });

  test('takes frames that are heard unless told otherwise', () => {
    const cursor = new FrameCursor();
    expect(cursor.open(messageOf([], KIND.heard))).toBeUndefined();
    expect(cursor.open(messageOf([], KIND.send))).toMatchObject({ code: 'unsupported_kind' });
  });

  test('gives views of the message, and copies nothing', () => {
    const message = bytesOf(valid.find((v) => v.name === 'one Opus packet')!.hex);
    const larger = poisoned(message, 0xff);
    const cursor = new FrameCursor();
    expect(cursor.open(larger)).toBeUndefined();
    expect(cursor.next()).toBe(true);
    expect(cursor.bytes).toBe(larger);
    larger[cursor.payloadOffset] = 0xab;
    expect(cursor.bytes[cursor.payloadOffset]).toBe(0xab);
  });

  test('refuses a message over the limit without looking into it', () => {
    const message = new Uint8Array(100 * LIMITS.maxMessageBytes);
    expect(new FrameCursor().open(message)).toMatchObject({ code: 'too_large', closeCode: 4413 });
  });

  test('forgets the message before, on an error and on close', () => {
    const message = bytesOf(valid.find((v) => v.frames.length === 1)!.hex);
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
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 30 }), anyKind, (frames, kind) => {
        const cursor = new FrameCursor(kind);
        expect(cursor.open(messageOf(frames, kind))).toBeUndefined();
        expect(readFrames(cursor)).toEqual(frames);
      }),
    );
  });

  test('sequences that wrap keep their order within a message and from one to the next', () => {
    const anyStart = fc.oneof(
      fc.integer({ min: 0, max: 0xffff_ffff }),
      fc.integer({ min: 0xffff_ffe0, max: 0xffff_ffff }),
    );
    const cursor = new FrameCursor();
    fc.assert(
      fc.property(anyStart, fc.integer({ min: 1, max: 40 }), (start, messages) => {
        let last = (start - 1) >>> 0;
        for (let message = 0; message < messages; message += 1) {
          const frames = Array.from({ length: 4 }, (_, index) => ({
            streamId: 1,
            codec: 0,
            flags: 0,
            sequence: (start + message * 4 + index) >>> 0,
            captureTicks: '0',
            payloadHex: '',
          }));
          expect(cursor.open(messageOf(frames))).toBeUndefined();
          while (cursor.next()) {
            expect(sequenceDistance(last, cursor.sequence)).toBe(1);
            last = cursor.sequence;
          }
        }
      }),
    );
  });

  test('a message cut at any byte, or longer by any bytes, is an error', () => {
    const cursor = new FrameCursor();
    const anyFrames = fc.array(anyFrame, { minLength: 1, maxLength: 4 });
    const anyTail = fc.uint8Array({ minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(anyFrames, anyTail, (frames, tail) => {
        const message = messageOf(frames);
        for (let length = 0; length < message.length; length += 1) {
          const cut = message.subarray(0, length); // The rest still lies behind it.
          expect(cursor.open(cut)).toMatchObject({ code: 'truncated', closeCode: 4400 });
        }
        const longer = new Uint8Array([...message, ...tail]);
        expect(cursor.open(longer)).toMatchObject({ code: 'trailing_bytes' });
      }),
      { numRuns: 30 },
    );
  });

  test('any one bit changed gives frames within the message or an error, never a throw', () => {
    const cursor = new FrameCursor();
    const anyFrames = fc.array(anyFrame, { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(anyFrames, (frames) => {
        const message = messageOf(frames);
        for (let bit = 0; bit < Math.min(message.length, 200) * 8; bit += 1) {
          const at = bit >> 3;
          message[at]! ^= 1 << (bit & 7);
          expectInBounds(cursor, message);
          message[at]! ^= 1 << (bit & 7);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('garbage never throws, and no payload reaches past the end', () => {
    const cursor = new FrameCursor();
    fc.assert(
      fc.property(anyGarbage, (bytes) => expectInBounds(cursor, bytes)),
      { numRuns: 2000 },
    );
  });

  test('nothing outside the message makes a difference', () => {
    const first = new FrameCursor();
    const second = new FrameCursor();
    fc.assert(
      fc.property(anyGarbage, (bytes) => {
        expect(first.open(poisoned(bytes, 0x00))).toEqual(second.open(poisoned(bytes, 0xff)));
        expect(readFrames(first)).toEqual(readFrames(second));
      }),
      { numRuns: 1000 },
    );
  });
});

/** Payloads follow each other without a hole, and the last ends where the message does. */
function expectInBounds(cursor: FrameCursor, bytes: Uint8Array): void {
  if (cursor.open(bytes) !== undefined) {
    expect(cursor.next()).toBe(false);
    return;
  }
  let end = 4;
  let frames = 0;
  while (cursor.next()) {
    expect(cursor.payloadOffset).toBe(end + 18);
    end = cursor.payloadOffset + cursor.payloadLength;
    frames += 1;
  }
  expect(frames).toBe(cursor.frameCount);
  expect(end).toBe(bytes.length);
}

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
      fc.integer({ min: -3, max: 3 }),
    )
    .map(([frames, changes, growth]) => {
      const message = messageOf(frames);
      for (const [at, value] of changes) message[at % message.length] = value;
      if (growth <= 0) return message.subarray(0, message.length + growth);
      return new Uint8Array([...message, ...new Uint8Array(growth)]);
    }),
);
