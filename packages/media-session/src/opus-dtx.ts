/** A packet of no more than this holds no sound: its table of contents, and a frame of 0 or 1 byte. */
const MAX_DTX_BYTES = 2;

/**
 * True when an Opus packet of one frame of 20 ms says that nothing was sent, which is how DTX passes
 * a pause (RFC 6716 §2.1.9, §3.1): a frame of 0 or 1 byte. Others are left to the decoder.
 */
export function isOpusDtx(packet: Uint8Array, length: number): boolean {
  if (length < 1 || length > MAX_DTX_BYTES) return false;
  const toc = packet[0]!;
  return (toc & 3) === 0 && isFrameOf20Ms(toc >> 3);
}

/** By configuration number (RFC 6716 table 2): SILK has 10, 20, 40, 60 ms; hybrid 10, 20; CELT 2.5 to 20. */
function isFrameOf20Ms(configuration: number): boolean {
  if (configuration < 12) return (configuration & 3) === 1;
  return configuration < 16 ? (configuration & 1) === 1 : (configuration & 3) === 3;
}
