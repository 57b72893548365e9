const HEADER_BYTES = 27;
const SERIAL_OFFSET = 14;
const CHECKSUM_OFFSET = 22;
const SEGMENT_COUNT_OFFSET = 26;
const CHECKSUM_POLYNOMIAL = 0x04c11db7;

/** Where one whole Ogg page lies (RFC 3533 §6). */
export interface OggPage {
  readonly start: number;
  readonly end: number;
  /** The page's last packet goes on in the next page. */
  readonly endsInsidePacket: boolean;
}

/** The whole pages from the beginning; stops at the first byte that starts none. */
export function listOggPages(bytes: Uint8Array): OggPage[] {
  const pages: OggPage[] = [];
  let page = readPage(bytes, 0);
  while (page !== undefined) {
    pages.push(page);
    page = readPage(bytes, page.end);
  }
  return pages;
}

function readPage(bytes: Uint8Array, start: number): OggPage | undefined {
  // The capture pattern and, as fifth byte, version 0.
  if (start + HEADER_BYTES > bytes.length || !startsWith(bytes, start, 'OggS\0')) return undefined;
  const segmentCount = bytes[start + SEGMENT_COUNT_OFFSET]!;
  const lastSegment = start + HEADER_BYTES + segmentCount - 1;
  if (lastSegment >= bytes.length) return undefined;
  let end = lastSegment + 1;
  for (let i = start + HEADER_BYTES; i <= lastSegment; i++) end += bytes[i]!;
  if (end > bytes.length) return undefined;
  return { start, end, endsInsidePacket: segmentCount > 0 && bytes[lastSegment] === 255 };
}

/** True when the ASCII `text` stands at `offset`. */
export function startsWith(bytes: Uint8Array, offset: number, text: string): boolean {
  if (offset + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (bytes[offset + i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

/** Gives all pages of a file with one logical stream another serial number, in place. */
export function setSerialNumber(bytes: Uint8Array, serialNumber: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const { start, end } of listOggPages(bytes)) {
    view.setUint32(start + SERIAL_OFFSET, serialNumber, true);
    view.setUint32(start + CHECKSUM_OFFSET, 0, true);
    view.setUint32(start + CHECKSUM_OFFSET, pageChecksum(bytes.subarray(start, end)), true);
  }
}

// CRC-32 with the direct polynomial, start and final value 0 (RFC 3533 §6, field 7).
function pageChecksum(page: Uint8Array): number {
  let crc = 0;
  for (const byte of page) crc = (crc << 8) ^ CHECKSUM_TABLE[(crc >>> 24) ^ byte]!;
  return crc >>> 0;
}

const CHECKSUM_TABLE = Int32Array.from({ length: 256 }, (_, index) => {
  let crc = index << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ CHECKSUM_POLYNOMIAL : crc << 1;
  return crc;
});
