/** The samples as bytes, little-endian; copied. */
export function pcmBytes(pcm: Int16Array): Buffer {
  return Buffer.from(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
}
