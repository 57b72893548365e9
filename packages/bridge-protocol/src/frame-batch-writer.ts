import { FRAME_HEADER_BYTES, isPayloadLength, MESSAGE_HEADER_BYTES } from './frame-layout.js';
import type { Kind } from './protocol.js';
import { KIND, LIMITS, PROTOCOL_VERSION } from './protocol.js';

/** The smallest buffer in which every legal frame fits. */
const MIN_BYTES = MESSAGE_HEADER_BYTES + FRAME_HEADER_BYTES + LIMITS.maxPayloadBytes;

/** Writes frames of any streams into one binary message, in a buffer of its own made once. */
export class FrameBatchWriter {
  readonly #bytes: Uint8Array;
  #length = MESSAGE_HEADER_BYTES;
  #frameCount = 0;

  /**
   * @param maxBytes size of the message that may not be passed.
   * @param kind which way the frames go.
   * @throws RangeError when a legal frame would not fit, or the protocol forbids the size.
   */
  constructor(maxBytes: number = LIMITS.maxMessageBytes, kind: Kind = KIND.heard) {
    if (!Number.isInteger(maxBytes) || maxBytes < MIN_BYTES || maxBytes > LIMITS.maxMessageBytes) {
      throw new RangeError(
        `Cannot create a batch: maxBytes must be ${MIN_BYTES} to ${LIMITS.maxMessageBytes}, got ${maxBytes}`,
      );
    }
    this.#bytes = new Uint8Array(maxBytes);
    this.#bytes[0] = PROTOCOL_VERSION;
    this.#bytes[1] = kind;
  }

  /** Frames appended since the last `reset`. */
  get frameCount(): number {
    return this.#frameCount;
  }

  /**
   * Copies one frame into the message. `sequence` and the tick halves are taken modulo 2^32.
   *
   * @param payload null for the codec `silence`; otherwise borrowed for the call.
   * @returns false when the frame does not fit: finish, send, reset and append it again.
   * @throws RangeError for a frame that no message may hold: our mistake, not the peer's.
   */
  append(
    streamId: number,
    codec: number,
    flags: number,
    sequence: number,
    ticksHigh: number,
    ticksLow: number,
    payload: Uint8Array | null,
  ): boolean {
    const payloadLength = payload === null ? 0 : payload.length;
    requireFrame(streamId, codec, payloadLength);
    const at = this.#length;
    const end = at + FRAME_HEADER_BYTES + payloadLength;
    if (end > this.#bytes.length || this.#frameCount === LIMITS.maxFramesPerMessage) return false;
    const bytes = this.#bytes;
    writeU16(bytes, at, streamId);
    bytes[at + 2] = codec;
    bytes[at + 3] = flags;
    writeU32(bytes, at + 4, sequence);
    writeU32(bytes, at + 8, ticksHigh);
    writeU32(bytes, at + 12, ticksLow);
    writeU16(bytes, at + 16, payloadLength);
    if (payload !== null) bytes.set(payload, at + FRAME_HEADER_BYTES);
    this.#length = end;
    this.#frameCount += 1;
    return true;
  }

  /** The message so far: a view of the writer's own buffer, borrowed until `reset` or `append`. */
  finish(): Uint8Array {
    writeU16(this.#bytes, 2, this.#frameCount);
    return this.#bytes.subarray(0, this.#length);
  }

  /** Starts an empty message in the same buffer. */
  reset(): void {
    this.#length = MESSAGE_HEADER_BYTES;
    this.#frameCount = 0;
  }
}

function requireFrame(streamId: number, codec: number, payloadLength: number): void {
  if (!Number.isInteger(streamId) || streamId < 1 || streamId > 0xffff) {
    throw new RangeError(`Cannot append a frame: streamId must be 1 to 65535, got ${streamId}`);
  }
  if (isPayloadLength(codec, payloadLength)) return;
  throw new RangeError(
    `Cannot append a frame: codec ${codec} can't have a payload of ${payloadLength} bytes`,
  );
}

function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
