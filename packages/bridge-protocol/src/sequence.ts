/**
 * How many steps `to` lies after `from` on the u32 circle of sequence numbers: signed, in
 * [-2^31, 2^31). Positive is newer, 0 the same, negative older (RFC 1982 in spirit).
 */
export function sequenceDistance(from: number, to: number): number {
  return (to - from) | 0;
}
