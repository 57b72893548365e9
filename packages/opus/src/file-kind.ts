import { startsWith } from './ogg-pages.js';

/** What {@link fileKind} says of an Ogg file whose first packet is an OpusHead. */
export const OGG_OPUS = 'Ogg with OpusHead';

const OGG_FIRST_PACKET = 28;

/** What a file is by its first bytes, in words for an error message. */
export function fileKind(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  if (startsWith(bytes, 0, 'OggS')) return oggKind(bytes);
  if (isWav(bytes)) return 'a WAV file';
  if (startsWith(bytes, 0, 'fLaC')) return 'a FLAC file';
  if (startsWith(bytes, 4, 'ftyp')) return 'an MP4 file';
  if (startsWith(bytes, 0, '\x1a\x45\xdf\xa3')) return 'a Matroska or WebM file';
  if (startsWith(bytes, 0, 'ID3') || (bytes[0] === 0xff && (bytes[1]! & 0xe6) === 0xe2)) {
    return 'an MP3 file';
  }
  const hex = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0'));
  return `bytes that start with ${hex.join(' ')}`;
}

/** With lengths of 32 or 64 bits. */
function isWav(bytes: Uint8Array): boolean {
  return (
    ['RIFF', 'RF64', 'BW64'].some((form) => startsWith(bytes, 0, form)) &&
    startsWith(bytes, 8, 'WAVE')
  );
}

// The header packet has the first page for itself, so its place is known (RFC 7845 §3).
function oggKind(bytes: Uint8Array): string {
  if (startsWith(bytes, OGG_FIRST_PACKET, 'OpusHead')) return OGG_OPUS;
  if (startsWith(bytes, OGG_FIRST_PACKET, '\x01vorbis')) return 'Ogg with Vorbis';
  if (startsWith(bytes, OGG_FIRST_PACKET, '\x7fFLAC')) return 'Ogg with FLAC';
  if (startsWith(bytes, OGG_FIRST_PACKET, 'Speex')) return 'Ogg with Speex';
  return 'Ogg without OpusHead';
}
