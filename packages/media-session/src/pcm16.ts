/** Little-endian bytes, at any alignment, into samples; false when they are not as many as `out` has. */
export function copyPcm16(bytes: Uint8Array, length: number, out: Int16Array): boolean {
  if (length !== out.length * 2) return false;
  for (let i = 0, at = 0; i < out.length; i += 1, at += 2) {
    out[i] = bytes[at]! | (bytes[at + 1]! << 8);
  }
  return true;
}
