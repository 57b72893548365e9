import { CODEC, FrameBatchWriter } from '@earshot/bridge-protocol';

/** 42 kbit/s of Opus; with its header a frame has 122 bytes. */
export const PAYLOAD_BYTES = 104;

const FRAME_BYTES = 18 + PAYLOAD_BYTES;
const MESSAGE_HEADER_BYTES = 4;

/** RFC 6455 §5.2: a masked frame of 126 to 65,535 bytes, or fewer. */
const SHORT_HEADER_BYTES = 6;
const LONG_HEADER_BYTES = 8;
const LONGEST_SHORT = 125;
const FINAL_BINARY = 0x82;
const MASKED = 0x80;
const LENGTH_FOLLOWS = 126;
const MASK = [0x37, 0xfa, 0x21, 0x3d] as const;

/** Length of a message, without the WebSocket's header. */
export function messageBytes(framesPerMessage: number): number {
  return MESSAGE_HEADER_BYTES + framesPerMessage * FRAME_BYTES;
}

/** An Opus-like payload: bytes of no pattern. */
export function makePayload(): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES);
  for (let i = 0; i < payload.length; i += 1) payload[i] = (i * 151 + 43) & 0xff;
  return payload;
}

/** A message with a frame of each of so many streams. */
export function makeMessage(framesPerMessage: number): Uint8Array {
  const writer = new FrameBatchWriter();
  const payload = makePayload();
  for (let streamId = 1; streamId <= framesPerMessage; streamId += 1) {
    writer.append(streamId, CODEC.opus, 0, streamId, 0, 0, payload);
  }
  return writer.finish().slice();
}

/** A message as a client's WebSocket puts it on the wire, so often one after the other. */
export function makeWire(message: Uint8Array, times: number): Uint8Array {
  const isShort = message.length <= LONGEST_SHORT;
  const headerBytes = isShort ? SHORT_HEADER_BYTES : LONG_HEADER_BYTES;
  const frame = new Uint8Array(headerBytes + message.length);
  frame[0] = FINAL_BINARY;
  frame[1] = MASKED | (isShort ? message.length : LENGTH_FOLLOWS);
  if (!isShort) {
    frame[2] = message.length >>> 8;
    frame[3] = message.length;
  }
  frame.set(MASK, headerBytes - MASK.length);
  for (let i = 0; i < message.length; i += 1) {
    frame[headerBytes + i] = message[i]! ^ MASK[i & 3]!;
  }
  const wire = new Uint8Array(times * frame.length);
  for (let i = 0; i < times; i += 1) wire.set(frame, i * frame.length);
  return wire;
}
