import { RECOGNIZER_SAMPLE_RATE_HZ } from './recognizer.js';

export const WAV_HEADER_BYTES = 44;

/** Header of a PCM16 mono WAV; with `dataBytes` 0 it says that the length is not known. */
export function wavHeader(dataBytes: number): Buffer {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(dataBytes === 0 ? 0 : 36 + dataBytes, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(RECOGNIZER_SAMPLE_RATE_HZ, 24);
  header.writeUInt32LE(RECOGNIZER_SAMPLE_RATE_HZ * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(dataBytes, 40);
  return header;
}

/** The samples as bytes, little-endian; copied. */
export function pcmBytes(pcm: Int16Array): Buffer {
  return Buffer.from(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength));
}
