const HEADER_BYTES = 44;
const BYTES_PER_SAMPLE = 2;

/** What is before the samples of a mono 16-bit PCM file: RIFF, `fmt ` of 16 bytes, `data`. */
export function wavHeader(dataBytes: number, sampleRateHz: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(HEADER_BYTES);
  writeHeader(header, HEADER_BYTES - 8 + dataBytes, dataBytes, sampleRateHz);
  return header;
}

/** The same of a stream whose length nobody knows: its lengths are 0. */
export function wavStreamHeader(sampleRateHz: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(HEADER_BYTES);
  writeHeader(header, 0, 0, sampleRateHz);
  return header;
}

/** Writes mono 16-bit PCM as a WAV file. */
export function writeWav(samples: Int16Array, sampleRateHz: number): Uint8Array {
  const dataBytes = samples.length * BYTES_PER_SAMPLE;
  const file = new Uint8Array(HEADER_BYTES + dataBytes);
  file.set(wavHeader(dataBytes, sampleRateHz));
  const view = new DataView(file.buffer);
  for (let n = 0; n < samples.length; n += 1) {
    view.setInt16(HEADER_BYTES + n * BYTES_PER_SAMPLE, samples[n]!, true);
  }
  return file;
}

function writeHeader(
  header: Uint8Array<ArrayBuffer>,
  riffBytes: number,
  dataBytes: number,
  sampleRateHz: number,
): void {
  const view = new DataView(header.buffer);
  writeTag(view, 0, 'RIFF');
  view.setUint32(4, riffBytes, true);
  writeTag(view, 8, 'WAVE');
  writeTag(view, 12, 'fmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * BYTES_PER_SAMPLE, true);
  view.setUint16(32, BYTES_PER_SAMPLE, true);
  view.setUint16(34, 8 * BYTES_PER_SAMPLE, true);
  writeTag(view, 36, 'data');
  view.setUint32(40, dataBytes, true);
}

function writeTag(view: DataView, at: number, tag: string): void {
  for (let n = 0; n < tag.length; n += 1) view.setUint8(at + n, tag.charCodeAt(n));
}
