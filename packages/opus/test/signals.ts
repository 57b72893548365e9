import type { OpusEncoderOptions, OpusEngine } from '../src/index.js';
import { encodeFrames } from '../src/index.js';

export const FRAME = 320;

/**
 * A buzz with a moving pitch, colour and syllables: enough like speech for SILK. Its pitch is above
 * the encoder's high-pass filter, which would change the shape of a man's voice.
 */
export function buzz(seed: number, frames: number, samplesPerFrame = FRAME): Int16Array {
  const sampleRateHz = samplesPerFrame * 50;
  const pcm = new Int16Array(frames * samplesPerFrame);
  let phase = 0;
  for (let i = 0; i < pcm.length; i++) {
    const t = i / sampleRateHz;
    phase += (2 * Math.PI * (360 + 30 * seed + 20 * Math.sin(5 * t + seed))) / sampleRateHz;
    const harmonics = Math.sin(phase) + 0.6 * Math.sin(3 * phase) + 0.3 * Math.sin(8 * phase);
    pcm[i] = 5000 * harmonics * (0.6 + 0.4 * Math.sin(2 * Math.PI * 4 * t + seed));
  }
  return pcm;
}

export const VOICE: OpusEncoderOptions = {
  sampleRateHz: 16_000,
  channels: 1,
  bitrateBps: 24_000,
  dtx: false,
  application: 'voip',
};

/** Encodes `pcm` frame by frame, as a media host would unless told otherwise. */
export function encodeAll(
  engine: OpusEngine,
  pcm: Int16Array,
  change: Partial<OpusEncoderOptions> = {},
): Uint8Array[] {
  return encodeFrames(engine, pcm, { ...VOICE, ...change });
}

/** Joins `count` one-frame packets of one configuration into one of code 3 (RFC 6716 §3.2.5). */
export function joinPackets(packets: readonly Uint8Array[]): Uint8Array {
  const bytes = [packets[0]![0]! | 3, 0x80 | packets.length];
  for (const packet of packets.slice(0, -1)) {
    const length = packet.length - 1;
    if (length < 252) bytes.push(length);
    else bytes.push(252 + (length & 3), (length - 252 - (length & 3)) >> 2);
  }
  for (const packet of packets) bytes.push(...packet.subarray(1));
  return Uint8Array.from(bytes);
}

/** Decodes by a decoder that does nothing else, in an engine of the caller's. */
export function decodeAlone(engine: OpusEngine, packets: readonly Uint8Array[]): Int16Array[] {
  const decoder = engine
    .createDecoderPool({ sampleRateHz: 16_000, channels: 1, capacity: 1 })
    .acquire();
  return packets.map((packet) => {
    const out = new Int16Array(FRAME);
    decoder.decode(packet, 0, packet.length, out);
    return out;
  });
}

/** Normalised correlation of `a` with `b` shifted by `delay` samples: 1 is the same shape. */
export function correlation(a: Int16Array, b: Int16Array, delay: number): number {
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i + delay < b.length; i++) {
    ab += a[i]! * b[i + delay]!;
    aa += a[i]! ** 2;
    bb += b[i + delay]! ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}

export function concat(frames: readonly Int16Array[]): Int16Array {
  const pcm = new Int16Array(frames.reduce((sum, frame) => sum + frame.length, 0));
  let at = 0;
  for (const frame of frames) {
    pcm.set(frame, at);
    at += frame.length;
  }
  return pcm;
}
