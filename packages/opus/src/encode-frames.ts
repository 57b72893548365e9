import type { OpusEncoderOptions, OpusEngine } from './opus-engine.js';
import { MAX_FRAME_BYTES } from './opus-packet.js';

const FRAMES_PER_SECOND = 50;

/**
 * Encodes a whole sound as packets of 20 ms, by an encoder that does nothing else. A rest shorter
 * than a frame is left out. `pcm` stays the caller's; the packets are copies.
 *
 * @throws CodedError `invalid_opus_options`
 */
export function encodeFrames(
  engine: OpusEngine,
  pcm: Int16Array,
  options: OpusEncoderOptions,
): Uint8Array[] {
  const encoder = engine.createEncoderPool({ ...options, capacity: 1 }).acquire();
  const length = (options.sampleRateHz / FRAMES_PER_SECOND) * options.channels;
  const packet = new Uint8Array(MAX_FRAME_BYTES);
  const packets: Uint8Array[] = [];
  for (let start = 0; start + length <= pcm.length; start += length) {
    const bytes = encoder.encode(pcm.subarray(start, start + length), packet);
    packets.push(packet.slice(0, bytes));
  }
  encoder.release();
  return packets;
}
