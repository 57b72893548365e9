import fc from 'fast-check';
import type { Kind } from '../src/index.js';
import { CODEC, FrameBatchWriter, LIMITS, splitTicks } from '../src/index.js';
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
      sequence: fc.oneof(
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.integer({ min: 0xffff_fff0, max: 0xffff_ffff }),
      ),
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
export function messageOf(frames: readonly FrameVector[], kind?: Kind): Uint8Array {
  const writer = new FrameBatchWriter(LIMITS.maxMessageBytes, kind);
  for (const frame of frames) {
    if (!append(writer, frame)) throw new Error('the frames do not fit one message');
  }
  return writer.finish().slice();
}

const GUARD_BYTES = 32;

/**
 * `message` within a larger buffer whose other bytes are `poison`: a reader that strays outside
 * reads them, and gives another result with another poison.
 */
export function poisoned(message: Uint8Array, poison: number): Uint8Array {
  const buffer = new Uint8Array(message.length + 2 * GUARD_BYTES).fill(poison);
  buffer.set(message, GUARD_BYTES);
  return buffer.subarray(GUARD_BYTES, GUARD_BYTES + message.length);
}
