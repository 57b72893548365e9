/** What a decoder returns instead of samples (`opus_defines.h`): always negative. */
export const OPUS_ERROR = {
  badArgument: -1,
  bufferTooSmall: -2,
  internalError: -3,
  invalidPacket: -4,
  invalidState: -6,
} as const;

/** The longest packet: 120 ms of 2.5 ms frames, 1275 bytes each, and their length bytes (RFC 6716 §3.4). */
export const MAX_PACKET_BYTES = 61_296;

/** Samples of 120 ms at 48 kHz: no packet decodes to more, per channel. */
export const MAX_PACKET_SAMPLES = 5760;

const SILK = [480, 960, 1920, 2880];
const HYBRID = [480, 960];
const CELT = [120, 240, 480, 960];
/** Samples of one frame at 48 kHz by TOC configuration (RFC 6716 §3.1, table 2). */
const FRAME_SAMPLES = Uint16Array.from(
  [SILK, SILK, SILK, HYBRID, HYBRID, CELT, CELT, CELT, CELT].flat(),
);

/**
 * Samples per channel at 48 kHz in the packet `bytes[offset, offset + length)`, from its first two
 * bytes alone (RFC 6716 §3.1–3.2). 0 when they are not the start of an Opus packet.
 */
export function packetSamplesAt48k(bytes: Uint8Array, offset: number, length: number): number {
  if (length < 1) return 0;
  const toc = bytes[offset]!;
  const code = toc & 3;
  if (code === 3 && length < 2) return 0;
  const frames = code === 0 ? 1 : code === 3 ? bytes[offset + 1]! & 63 : 2;
  const samples = frames * FRAME_SAMPLES[toc >> 3]!;
  return samples > MAX_PACKET_SAMPLES ? 0 : samples;
}

/** How long the packet sounds, in ms (2.5 to 120); 0 when it is not an Opus packet. */
export function opusPacketDurationMs(packet: Uint8Array): number {
  return packetSamplesAt48k(packet, 0, packet.length) / 48;
}

/** True when the packet codes two channels (the TOC's stereo bit, RFC 6716 §3.1). */
export function isStereoPacket(packet: Uint8Array): boolean {
  return packet.length > 0 && (packet[0]! & 4) !== 0;
}
