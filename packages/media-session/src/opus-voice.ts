/** From this configuration on a packet is CELT alone (RFC 6716 table 2), which tells nothing of voices. */
const FIRST_CELT = 16;

/**
 * Whether there may be a voice in an Opus packet, by what its encoder thought: the voice-activity flags at
 * the head of a SILK or hybrid frame of 20 ms (RFC 6716 §4.2.3). True of any other packet.
 */
export function isOpusVoiced(packet: Uint8Array, length: number): boolean {
  if (length < 2) return true;
  const toc = packet[0]!;
  const configuration = toc >> 3;
  const isFrameOf20Ms = configuration < 12 ? (configuration & 3) === 1 : (configuration & 1) === 1;
  if (configuration >= FIRST_CELT || !isFrameOf20Ms || (toc & 3) !== 0) return true;
  const flags = packet[1]!;
  const isStereo = (toc & 4) !== 0;
  // Of each channel the voice flag, then that of the copy of the frame before.
  return (flags & 0x80) !== 0 || (isStereo && (flags & 0x20) !== 0);
}
