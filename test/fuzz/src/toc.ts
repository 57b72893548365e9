// What RFC 6716 §3.1–3.2 says of a packet's length in time; written from the RFC, not from the code
// under test.

/** Length of a frame in units of 2.5 ms by configuration (table 2). */
function frameUnits(configuration: number): number {
  if (configuration < 12) return [4, 8, 16, 24][configuration & 3]!;
  if (configuration < 16) return [4, 8][configuration & 1]!;
  return [1, 2, 4, 8][configuration & 3]!;
}

const MAX_UNITS = 48;

/**
 * Samples per channel that the packet `bytes[offset, offset + length)` must decode to, if it decodes
 * at all; 0 when it can't.
 */
export function tocSamples(
  bytes: Uint8Array,
  offset: number,
  length: number,
  sampleRateHz: number,
): number {
  if (length === 0) return 0;
  const toc = bytes[offset]!;
  const frames = [1, 2, 2, length > 1 ? bytes[offset + 1]! & 63 : 0][toc & 3]!;
  const units = frames * frameUnits(toc >> 3);
  return units > MAX_UNITS ? 0 : (units * sampleRateHz) / 400;
}
