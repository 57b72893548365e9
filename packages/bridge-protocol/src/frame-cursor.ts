import {
  FRAME_HEADER_BYTES,
  isCodec,
  isPayloadLength,
  MESSAGE_HEADER_BYTES,
} from './frame-layout.js';
import type { Kind } from './protocol.js';
import { CLOSE, KIND, LIMITS, PROTOCOL_VERSION } from './protocol.js';

/** Which rule of the layout a binary message broke; stable, and the reason of the close. */
export type FrameFailure =
  | 'too_large'
  | 'truncated'
  | 'unsupported_version'
  | 'unsupported_kind'
  | 'too_many_frames'
  | 'reserved_stream_id'
  | 'unsupported_codec'
  | 'invalid_payload_length'
  | 'trailing_bytes';

/** Why a binary message was refused. */
export interface FrameError {
  readonly code: FrameFailure;
  readonly message: string;
  /** What to close the link with. */
  readonly closeCode: number;
}

const NO_BYTES = new Uint8Array(0);

/**
 * Reads the frames of one binary message in place: no copy, no object per frame. `open` checks
 * the whole message once, so that `next` can't fail and nothing is read out of bounds. A
 * cursor is reused from message to message.
 *
 * ```text
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |  version = 1  |     kind      |          frameCount           |
 * +=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+=+
 * |           streamId            |     codec     |     flags     |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                           sequence                            |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                      captureTicks, high                       |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |                      captureTicks, low                        |
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * |         payloadLength         |          payload ...
 * +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 * ```
 */
export class FrameCursor {
  /** Of the current frame, as the wire has it; valid after `next` returned true. */
  streamId = 0;
  codec = 0;
  flags = 0;
  sequence = 0;
  ticksHigh = 0;
  ticksLow = 0;
  /** Where the payload starts in `bytes`. */
  payloadOffset = 0;
  payloadLength = 0;
  /**
   * The open message, borrowed from the caller of `open`. It may be a Buffer, whose `slice` does
   * not copy: a payload is kept by `new Uint8Array(bytes.subarray(…))` or `set`.
   */
  bytes: Uint8Array = NO_BYTES;
  readonly #kind: Kind;
  #frameCount = 0;
  #remaining = 0;
  #offset = 0;

  /** @param kind the one that is taken: a worker takes `heard`, a host `send`. */
  constructor(kind: Kind = KIND.heard) {
    this.#kind = kind;
  }

  /** Frames in the open message. */
  get frameCount(): number {
    return this.#frameCount;
  }

  /** Takes a message and stands before its first frame; an error leaves the cursor empty. */
  open(bytes: Uint8Array): FrameError | undefined {
    this.close();
    const error = checkMessage(bytes, this.#kind);
    if (error !== undefined) return error;
    this.bytes = bytes;
    this.#frameCount = readU16(bytes, 2);
    this.#remaining = this.#frameCount;
    this.#offset = MESSAGE_HEADER_BYTES;
    return undefined;
  }

  /** Moves to the next frame; false after the last. */
  next(): boolean {
    if (this.#remaining === 0) return false;
    const bytes = this.bytes;
    const at = this.#offset;
    this.streamId = readU16(bytes, at);
    this.codec = bytes[at + 2]!;
    this.flags = bytes[at + 3]!;
    this.sequence = readU32(bytes, at + 4);
    this.ticksHigh = readU32(bytes, at + 8);
    this.ticksLow = readU32(bytes, at + 12);
    this.payloadLength = readU16(bytes, at + 16);
    this.payloadOffset = at + FRAME_HEADER_BYTES;
    this.#offset = this.payloadOffset + this.payloadLength;
    this.#remaining -= 1;
    return true;
  }

  /** Lets go of the message, so that an idle cursor holds no memory of its own. */
  close(): void {
    this.bytes = NO_BYTES;
    this.#frameCount = 0;
    this.#remaining = 0;
    this.#offset = 0;
  }
}

function checkMessage(bytes: Uint8Array, kind: Kind): FrameError | undefined {
  const length = bytes.length;
  if (length > LIMITS.maxMessageBytes) {
    const message = `A binary message has at most ${LIMITS.maxMessageBytes} bytes, got ${length}`;
    return { code: 'too_large', message, closeCode: CLOSE.tooLarge };
  }
  if (length < MESSAGE_HEADER_BYTES) return truncated(MESSAGE_HEADER_BYTES, length);
  if (bytes[0] !== PROTOCOL_VERSION) {
    const message = `A binary message has version ${PROTOCOL_VERSION}, got ${bytes[0]}`;
    return { code: 'unsupported_version', message, closeCode: CLOSE.unsupportedVersion };
  }
  if (bytes[1] !== kind) {
    return broken('unsupported_kind', `A binary message has kind ${kind} here, got ${bytes[1]}`);
  }
  return checkFrames(bytes, readU16(bytes, 2));
}

function checkFrames(bytes: Uint8Array, frameCount: number): FrameError | undefined {
  if (frameCount > LIMITS.maxFramesPerMessage) {
    const most = LIMITS.maxFramesPerMessage;
    return broken('too_many_frames', `A message has at most ${most} frames, got ${frameCount}`);
  }
  const { length } = bytes;
  let offset = MESSAGE_HEADER_BYTES;
  for (let index = 0; index < frameCount; index += 1) {
    const headerEnd = offset + FRAME_HEADER_BYTES;
    if (headerEnd > length) return truncated(headerEnd, length);
    const payloadLength = readU16(bytes, offset + 16);
    const codec = bytes[offset + 2]!;
    // False for an unknown codec too: the rule that was broken is looked for only then.
    if ((bytes[offset]! | bytes[offset + 1]!) === 0 || !isPayloadLength(codec, payloadLength)) {
      return headerError(readU16(bytes, offset), codec, payloadLength);
    }
    offset = headerEnd + payloadLength;
    if (offset > length) return truncated(offset, length);
  }
  if (offset === length) return undefined;
  const rest = length - offset;
  return broken('trailing_bytes', `A message ends with its last frame, got ${rest} bytes more`);
}

function headerError(streamId: number, codec: number, payloadLength: number): FrameError {
  if (streamId === 0) return broken('reserved_stream_id', 'A stream id is 1 to 65535, got 0');
  if (!isCodec(codec)) return broken('unsupported_codec', `A codec is 0, 1 or 2, got ${codec}`);
  return broken(
    'invalid_payload_length',
    `The payload of codec ${codec} can't have ${payloadLength} bytes`,
  );
}

function truncated(needed: number, got: number): FrameError {
  return broken('truncated', `The message needs at least ${needed} bytes, got ${got}`);
}

function broken(code: FrameFailure, message: string): FrameError {
  return { code, message, closeCode: CLOSE.protocolError };
}

function readU16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}
