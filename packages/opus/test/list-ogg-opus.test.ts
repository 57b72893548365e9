import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { createOpusEngine, listOggOpus, readOggOpus, writeOggOpus } from '../src/index.js';
import { setSerialNumber } from '../src/ogg-pages.js';
import { buzz, encodeAll } from './signals.js';

let packets: Uint8Array[];
let file: Uint8Array;
beforeAll(async () => {
  packets = encodeAll(await createOpusEngine(), buzz(1, 120));
  file = await writeOggOpus({ packets });
});

describe('listing Ogg Opus', () => {
  test('finds what was written, as views', () => {
    const listed = listOggOpus(file, packets.length);
    expect(listed.packets).toEqual(packets);
    expect(listed).toMatchObject({ channels: 1, preSkip: 312, mappingFamily: 0 });
    expect(listed.packets[0]?.buffer).toBe(file.buffer);
  });

  test('refuses more packets than are wanted', () => {
    expect(() => listOggOpus(file, packets.length - 1)).toThrow(
      expect.objectContaining({ code: 'too_many_packets' }),
    );
  });

  test('joins packets that span pages', () => {
    const long = Uint8Array.from({ length: 600 }, (_, n) => (n === 0 ? 0x78 : n));
    const spanning = joined(
      file.subarray(0, secondPageEnd(file)),
      page({
        type: 0,
        laces: [5, 255],
        payload: [...packets[0]!.slice(0, 5), ...long.slice(0, 255)],
      }),
      page({ type: 1, laces: [255], payload: [...long.slice(255, 510)] }),
      page({ type: 5, laces: [90, 3], payload: [...long.slice(510), 1, 2, 3] }),
      page({ type: 0, laces: [1], payload: [9] }),
    );
    const listed = listOggOpus(spanning, 100).packets;
    expect(listed).toEqual([packets[0]!.slice(0, 5), long, Uint8Array.of(1, 2, 3)]);
  });

  test('leaves out pages of another stream, and a packet whose beginning is lost', () => {
    const other = page({ type: 0, laces: [4], payload: [1, 2, 3, 4] });
    setSerialNumber(other, 77);
    const mixed = joined(
      file.subarray(0, secondPageEnd(file)),
      other,
      page({ type: 1, laces: [2, 2], payload: [8, 8, 9, 9] }),
    );
    expect(listOggOpus(mixed, 100).packets).toEqual([Uint8Array.of(9, 9)]);
  });

  test('agrees with the reader that copies, on files that were cut or damaged', async () => {
    const damage = fc.record({
      cut: fc.nat({ max: file.length }),
      at: fc.nat({ max: file.length - 1 }),
      byte: fc.nat({ max: 255 }),
    });
    await fc.assert(
      fc.asyncProperty(damage, async ({ cut, at, byte }) => {
        const damaged = Uint8Array.from(file.subarray(0, cut));
        if (at < cut) damaged[at] = byte;
        let listed: readonly Uint8Array[];
        try {
          ({ packets: listed } = listOggOpus(damaged, 10_000));
        } catch (error) {
          expect(error).toMatchObject({ code: 'not_ogg_opus' });
          return;
        }
        if (at < cut) return;
        expect(listed).toEqual((await readOggOpus(damaged)).packets);
      }),
      { numRuns: 200 },
    );
  });

  test('never throws anything else, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const whole = joined(file.subarray(0, 47), bytes);
        try {
          listOggOpus(whole, 50);
        } catch (error) {
          expect(error).toMatchObject({ name: 'CodedError' });
        }
      }),
    );
  });
});

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** One page of the file's own stream; its checksum is not looked at. */
function page(of: { type: number; laces: number[]; payload: number[] }): Uint8Array {
  const bytes = new Uint8Array(27 + of.laces.length + of.payload.length);
  bytes.set(new TextEncoder().encode('OggS'));
  bytes[5] = of.type;
  new DataView(bytes.buffer).setUint32(14, 1, true);
  bytes[26] = of.laces.length;
  bytes.set([...of.laces, ...of.payload], 27);
  return bytes;
}

function secondPageEnd(bytes: Uint8Array): number {
  const file = Buffer.from(bytes);
  return file.indexOf('OggS', file.indexOf('OpusTags'));
}
