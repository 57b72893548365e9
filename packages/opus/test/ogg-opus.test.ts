import { createRequire } from 'node:module';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { createOpusEngine, readOggOpus, writeOggOpus } from '../src/index.js';
import { listOggPages } from '../src/ogg-pages.js';
import { buzz, encodeAll, joinPackets } from './signals.js';

let packets: Uint8Array[];
beforeAll(async () => {
  packets = encodeAll(await createOpusEngine(), buzz(1, 120));
});

describe('write, then read', () => {
  test('packets, durations and header come back', async () => {
    const bytes = await writeOggOpus({ packets, preSkip: 104 * 3, inputSampleRateHz: 16_000 });
    expect(await readOggOpus(bytes)).toEqual({
      packets,
      packetDurationMs: packets.map(() => 20),
      channels: 1,
      preSkip: 312,
      inputSampleRateHz: 16_000,
      outputGainDb: 0,
      mappingFamily: 0,
      ignoredBytes: 0,
    });
  });

  test('packets of any size and number: none is lost, none spans two pages', async () => {
    const fullBand = 31 << 3;
    const packet = fc
      .uint8Array({ maxLength: 1274 })
      .map((bytes) => Uint8Array.from([fullBand, ...bytes]));
    const many = fc.array(packet, { minLength: 1, maxLength: 300, size: 'max' });
    await fc.assert(
      fc.asyncProperty(many, async (written) => {
        const bytes = await writeOggOpus({ packets: written });
        expect(listOggPages(bytes).some((page) => page.endsInsidePacket)).toBe(false);
        const read = await readOggOpus(bytes);
        expect(read.packets.length).toBe(written.length);
        expect(Buffer.concat(read.packets).equals(Buffer.concat(written))).toBe(true);
      }),
      { numRuns: 15 },
    );
  });

  test('the same input gives the same bytes; the serial number is ours', async () => {
    const first = await writeOggOpus({ packets, serialNumber: 7 });
    expect(await writeOggOpus({ packets, serialNumber: 7 })).toEqual(first);
    const view = new DataView(first.buffer);
    for (const { start } of listOggPages(first)) expect(view.getUint32(start + 14, true)).toBe(7);
  });

  test('page checksums hold (RFC 3533: a known page)', async () => {
    const bytes = await writeOggOpus({ packets: packets.slice(0, 1), serialNumber: 0x01020304 });
    const view = new DataView(bytes.buffer);
    const [head] = listOggPages(bytes);
    // Computed bit by bit, unlike the table in the code under test.
    let crc = 0;
    for (let i = head!.start; i < head!.end; i++) {
      crc ^= (i >= 22 && i < 26 ? 0 : bytes[i]!) << 24;
      for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
    }
    expect(view.getUint32(22, true)).toBe(crc >>> 0);
  });

  test.each([
    ['nothing', [], /got no packets/],
    ['an empty packet', [Uint8Array.of()], /got something else as packet 0/],
  ])('%s is refused', async (_name, written, message) => {
    await expect(writeOggOpus({ packets: written })).rejects.toThrow(message);
  });
});

describe('reading what others wrote', () => {
  test('a packet across two pages', async () => {
    const long = joinPackets(packets.slice(0, 6));
    const bytes = await writeOggOpus({ packets: [packets[0]!, long, packets[1]!] });
    const spanning = splitLastPage(bytes);
    expect(listOggPages(spanning).at(-2)!.endsInsidePacket).toBe(true);
    expect((await readOggOpus(spanning)).packets).toEqual([packets[0], long, packets[1]]);
  });

  test('a file that was cut off: whole pages count, the rest is told', async () => {
    const bytes = await writeOggOpus({ packets });
    const pages = listOggPages(bytes);
    const cut = await readOggOpus(bytes.subarray(0, bytes.length - 10));
    const lastPage = pages.at(-1)!;
    expect(cut.ignoredBytes).toBe(lastPage.end - lastPage.start - 10);
    expect(cut.packets).toEqual(packets.slice(0, 100));
  });

  test('random damage never gives anything but packets or a coded error', async () => {
    const bytes = await writeOggOpus({ packets: packets.slice(0, 60) });
    const flips = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(flips, fc.nat(bytes.length), async (changes, length) => {
        const damaged = bytes.slice(0, length);
        for (const [at, value] of changes) if (at < length) damaged[at] = value;
        const result = await readOggOpus(damaged).catch((error: unknown) => error);
        if ('packets' in Object(result)) return;
        expect(result).toMatchObject({ code: 'not_ogg_opus' });
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ['an empty file', ''],
    ['a WAV file', 'RIFF....WAVEfmt '],
    ['a FLAC file', 'fLaC'],
    ['an MP3 file', 'ID3\x03'],
    ['an MP3 file', '\xff\xfb\x90\x00'],
    ['an MP4 file', '\0\0\0\x20ftypM4A '],
    ['a Matroska or WebM file', '\x1a\x45\xdf\xa3'],
    ['Ogg with Vorbis', `OggS${'\0'.repeat(24)}\x01vorbis`],
    ['Ogg without OpusHead', 'OggS'],
    ['bytes that start with 48 65 6c 6c', 'Hello'],
    ['a damaged or too new OpusHead', `OggS${'\0'.repeat(24)}OpusHead\xff`],
  ])('%s is refused by name', async (found, content) => {
    await expect(readOggOpus(Buffer.from(content, 'latin1'))).rejects.toMatchObject({
      code: 'not_ogg_opus',
      message: `Cannot read ${content.length} bytes as Ogg Opus: it must start with an Ogg page holding OpusHead, got ${found}`,
    });
  });

  test('a path that is not there', async () => {
    await expect(readOggOpus('/nowhere/a.opus')).rejects.toMatchObject({
      code: 'audio_file_unreadable',
    });
  });

  test('the demuxer brings no codec with it', async () => {
    await readOggOpus(await writeOggOpus({ packets }));
    const { resolve, cache } = createRequire(import.meta.url);
    expect(cache[resolve('opusscript')]).toBeUndefined();
    expect(cache[resolve('prism-media')]).toBeDefined();
  });
});

/** Cuts the last page in two after its first 255-byte segment. */
function splitLastPage(bytes: Uint8Array): Uint8Array {
  const page = listOggPages(bytes).at(-1)!;
  const segments = bytes[page.start + 26]!;
  const table = bytes.subarray(page.start + 27, page.start + 27 + segments);
  const body = bytes.subarray(page.start + 27 + segments, page.end);
  const cut = table.indexOf(255) + 1;
  expect(cut).toBeGreaterThan(0);
  const size = table.subarray(0, cut).reduce((sum, length) => sum + length, 0);
  const half = (flags: number, sequence: number, table: Uint8Array, body: Uint8Array) => {
    const header = bytes.slice(page.start, page.start + 27);
    header[5] = flags;
    header[18] = sequence;
    header[26] = table.length;
    return Buffer.concat([header, table, body]);
  };
  return Buffer.concat([
    bytes.subarray(0, page.start),
    half(0, 2, table.subarray(0, cut), body.subarray(0, size)),
    half(5, 3, table.subarray(cut), body.subarray(size)),
  ]);
}
