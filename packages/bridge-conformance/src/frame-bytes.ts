import { CODEC, FRAME_HEADER_BYTES, MESSAGE_HEADER_BYTES } from '@earshot/bridge-protocol';

/** A frame to be written, legal or not. */
export interface FrameParts {
  readonly streamId: number;
  /** @defaultValue silence */
  readonly codec?: number;
  /** @defaultValue 0 */
  readonly flags?: number;
  readonly sequence: number;
  /** @defaultValue 20 ms a sequence, from the media epoch of the suite */
  readonly captureTicks?: bigint;
  /** @defaultValue none */
  readonly payload?: Uint8Array;
  /** @defaultValue that of the payload */
  readonly payloadLength?: number;
}

/** Header fields of a message; each can be wrong on purpose. */
export interface HeaderParts {
  readonly version?: number;
  readonly kind?: number;
  readonly frameCount?: number;
}

/** At these ticks the media time of the suite's calls is 0: beyond 2^53, as real clocks are. */
export const MEDIA_EPOCH_TICKS: bigint = 638_000_000_000_000_000n;
const TICKS_PER_FRAME = 200_000n;

/** 320 samples of digital silence as PCM16. */
export const PCM_SILENCE: Uint8Array = new Uint8Array(640);

/** 20 ms of silence as Opus: one mono CELT frame, wideband (RFC 6716 §3.1). */
export const OPUS_SILENCE: Uint8Array = Uint8Array.of(0xb8, 0xff, 0xfe);

/** Writes a binary message by hand: unlike the writer of the protocol it refuses nothing. */
export function frameMessage(frames: readonly FrameParts[], header: HeaderParts = {}): Uint8Array {
  const length = frames.reduce(
    (sum, { payload }) => sum + FRAME_HEADER_BYTES + (payload?.length ?? 0),
    MESSAGE_HEADER_BYTES,
  );
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, header.version ?? 1);
  view.setUint8(1, header.kind ?? 1);
  view.setUint16(2, header.frameCount ?? frames.length);
  let at = MESSAGE_HEADER_BYTES;
  for (const frame of frames) {
    const { streamId, codec = CODEC.silence, flags = 0, sequence, payload } = frame;
    view.setUint16(at, streamId);
    view.setUint8(at + 2, codec);
    view.setUint8(at + 3, flags);
    view.setUint32(at + 4, sequence);
    view.setBigUint64(at + 8, frame.captureTicks ?? ticksOf(sequence));
    view.setUint16(at + 16, frame.payloadLength ?? payload?.length ?? 0);
    if (payload !== undefined) bytes.set(payload, at + FRAME_HEADER_BYTES);
    at += FRAME_HEADER_BYTES + (payload?.length ?? 0);
  }
  return bytes;
}

/** Silent frames of one stream, `count` of them from `sequence` on. */
export function silentFrames(streamId: number, sequence: number, count: number): FrameParts[] {
  return Array.from({ length: count }, (_, n) => ({
    streamId,
    sequence: (sequence + n) >>> 0,
    captureTicks: ticksOf(n),
  }));
}

function ticksOf(frame: number): bigint {
  return MEDIA_EPOCH_TICKS + BigInt(frame) * TICKS_PER_FRAME;
}
