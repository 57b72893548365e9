/** The identification header of an Ogg Opus stream (RFC 7845 §5.1). */
export interface OpusHead {
  readonly channels: number;
  /** Samples at 48 kHz to drop from the start of the decoded sound. */
  readonly preSkip: number;
  /** Rate of what was encoded: information only, decoding is free to use another. */
  readonly inputSampleRateHz: number;
  /** Gain that a player must apply to the decoded sound. */
  readonly outputGainDb: number;
  /** 0: mono or stereo in one stream. Other families hold several streams in a packet. */
  readonly mappingFamily: number;
}

const HEAD_BYTES = 19;
const Q8 = 256;

/** Returns undefined when the packet is too short or of an unknown major version. */
export function parseOpusHead(packet: Uint8Array): OpusHead | undefined {
  if (packet.length < HEAD_BYTES) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const majorVersion = view.getUint8(8) >> 4;
  const channels = view.getUint8(9);
  if (majorVersion !== 0 || channels === 0) return undefined;
  return {
    channels,
    preSkip: view.getUint16(10, true),
    inputSampleRateHz: view.getUint32(12, true),
    outputGainDb: view.getInt16(16, true) / Q8,
    mappingFamily: view.getUint8(18),
  };
}

/** The header's 19 bytes, for mapping family 0. */
export function writeOpusHead(head: Omit<OpusHead, 'outputGainDb' | 'mappingFamily'>): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode('OpusHead'));
  view.setUint8(8, 1);
  view.setUint8(9, head.channels);
  view.setUint16(10, head.preSkip, true);
  view.setUint32(12, head.inputSampleRateHz, true);
  return bytes;
}
