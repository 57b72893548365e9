/** What a decoder returns instead of samples (`opus_defines.h`): always negative. */
export const OPUS_ERROR = {
  badArgument: -1,
  bufferTooSmall: -2,
  internalError: -3,
  invalidPacket: -4,
  unimplemented: -5,
  invalidState: -6,
} as const;

/** The longest packet: 120 ms of 2.5 ms frames, 1275 bytes each, and their length bytes (RFC 6716 §3.4). */
export const MAX_PACKET_BYTES = 61_296;

/** The longest packet of one frame (RFC 6716 §3.2.1); one of several shorter frames may pass it. */
export const MAX_FRAME_BYTES = 1275;

/** Samples of 120 ms at 48 kHz: no packet decodes to more, per channel. */
export const MAX_PACKET_SAMPLES = 5760;

/** What a decoder makes: its rate, and how many channels share an output. */
interface PcmFormat {
  readonly sampleRateHz: number;
  readonly channels: number;
}

/** Samples per channel of the longest packet, 120 ms, at a rate. */
export function maxPacketSamples(sampleRateHz: number): number {
  return (sampleRateHz * MAX_PACKET_SAMPLES) / 48_000;
}

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

/**
 * Samples per channel that `packet[offset, offset + length)` decodes to; a negative `OPUS_ERROR` when
 * it is none, or longer than `out`. libopus would answer an empty packet with concealment: it is
 * none either.
 */
export function packetSamples(
  packet: Uint8Array,
  offset: number,
  length: number,
  { sampleRateHz, channels }: PcmFormat,
  out: Int16Array,
): number {
  if (offset < 0 || offset + length > packet.length) return OPUS_ERROR.badArgument;
  const samplesAt48k = packetSamplesAt48k(packet, offset, length);
  if (samplesAt48k === 0 || length > MAX_PACKET_BYTES) return OPUS_ERROR.invalidPacket;
  const samples = (samplesAt48k * sampleRateHz) / 48_000;
  return samples * channels <= out.length ? samples : OPUS_ERROR.bufferTooSmall;
}

/** 0 when a loss of `samples` per channel can be filled in: a multiple of 2.5 ms that fits `out`. */
export function lossError(
  samples: number,
  { sampleRateHz, channels }: PcmFormat,
  out: Int16Array,
): number {
  if (samples <= 0 || samples % (sampleRateHz / 400) !== 0) return OPUS_ERROR.badArgument;
  const fits = samples <= maxPacketSamples(sampleRateHz) && samples * channels <= out.length;
  return fits ? 0 : OPUS_ERROR.bufferTooSmall;
}

/** How long the packet sounds, in ms (2.5 to 120); 0 when it is not an Opus packet. */
export function opusPacketDurationMs(packet: Uint8Array): number {
  return packetSamplesAt48k(packet, 0, packet.length) / 48;
}

/** True when the packet codes two channels (the TOC's stereo bit, RFC 6716 §3.1). */
export function isStereoPacket(packet: Uint8Array): boolean {
  return packet.length > 0 && (packet[0]! & 4) !== 0;
}

/**
 * True when the packet carries a low-bitrate copy of the frame before it: the LBRR flag, which
 * follows the voice-activity flags at the head of a SILK or hybrid frame (RFC 6716 §4.2.3). Only a
 * packet of one frame is asked; the flags of later frames can't be found without decoding.
 */
export function opusPacketHasFec(packet: Uint8Array, offset: number, length: number): boolean {
  if (length < 2 || (packet[offset]! & 3) !== 0) return false;
  const configuration = packet[offset]! >> 3;
  if (configuration >= 16) return false;
  // Of each channel one flag a 20 ms piece, then LBRR.
  const pieces = configuration >= 12 ? 1 : Math.max(1, FRAME_SAMPLES[configuration]! / 960);
  const flags = packet[offset + 1]!;
  const isStereo = (packet[offset]! & 4) !== 0;
  const first = (flags >> (7 - pieces)) & 1;
  return first === 1 || (isStereo && ((flags >> (6 - 2 * pieces)) & 1) === 1);
}
