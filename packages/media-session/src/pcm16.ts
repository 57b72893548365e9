/** Little-endian bytes, at any alignment, into samples. */
export function copyPcm16(bytes: Uint8Array, out: Int16Array): void {
  for (let i = 0, at = 0; i < out.length; i += 1, at += 2) {
    out[i] = bytes[at]! | (bytes[at + 1]! << 8);
  }
}
