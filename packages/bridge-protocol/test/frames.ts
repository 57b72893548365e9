import fc from 'fast-check';
import type { FrameCursor } from '../src/index.js';
import { CODEC, FrameBatchWriter, joinTicks, splitTicks } from '../src/index.js';
import type { FrameVector } from './vectors.js';
import { bytesOf, hexOf } from './vectors.js';

/** Any frame that a message may hold; payloads are short so that many fit. */
export const anyFrame: fc.Arbitrary<FrameVector> = fc
  .oneof(
    fc.constant({ codec: CODEC.silence, payload: new Uint8Array(0) }),
    fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((payload) => ({ codec: CODEC.opus, payload })),
    fc.uint8Array({ minLength: 1275, maxLength: 1275 }).map((payload) => ({
      codec: CODEC.opus,
      payload,
    })),
    fc
      .uint8Array({ minLength: 640, maxLength: 640 })
      .map((payload) => ({ codec: CODEC.pcm16, payload })),
  )
  .chain(({ codec, payload }) =>
    fc.record({
      streamId: fc.integer({ min: 1, max: 0xffff }),
      codec: fc.constant(codec),
      flags: fc.integer({ min: 0, max: 0xff }),
      sequence: fc.integer({ min: 0, max: 0xffff_ffff }),
      captureTicks: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map(String),
      payloadHex: fc.constant(hexOf(payload)),
    }),
  );

/** Appends a frame as the vectors spell it. */
export function append(writer: FrameBatchWriter, frame: FrameVector): boolean {
  const { high, low } = splitTicks(BigInt(frame.captureTicks));
  const payload = frame.codec === CODEC.silence ? null : bytesOf(frame.payloadHex);
  const { streamId, codec, flags, sequence } = frame;
  return writer.append(streamId, codec, flags, sequence, high, low, payload);
}

/** A message of its own, outside the writer's buffer. */
export function messageOf(frames: readonly FrameVector[]): Uint8Array {
  const writer = new FrameBatchWriter();
  for (const frame of frames) {
    if (!append(writer, frame)) throw new Error('the frames do not fit one message');
  }
  return writer.finish().slice();
}

/** Reads the rest of an open cursor, as the vectors spell frames. */
export function readAll(cursor: FrameCursor): FrameVector[] {
  const frames: FrameVector[] = [];
  while (cursor.next()) {
    const start = cursor.payloadOffset;
    const payload = cursor.bytes.subarray(start, start + cursor.payloadLength);
    frames.push({
      streamId: cursor.streamId,
      codec: cursor.codec,
      flags: cursor.flags,
      sequence: cursor.sequence,
      captureTicks: joinTicks(cursor.ticksHigh, cursor.ticksLow).toString(),
      payloadHex: hexOf(payload),
    });
  }
  return frames;
}
