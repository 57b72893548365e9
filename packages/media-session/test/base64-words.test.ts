import fc from 'fast-check';
import { expect, it } from 'vitest';
import { base64ToWords, isBase64Words, wordsToBase64 } from '../src/base64-words.js';

const words = fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { maxLength: 12 });

it('writes what any reader of base64 reads, without the zeros at the end', () => {
  fc.assert(
    fc.property(words, fc.nat(5), (values, zeros) => {
      const text = wordsToBase64(Int32Array.from([...values, ...new Array<number>(zeros).fill(0)]));
      const bytes = Buffer.from(text, 'base64');
      const read = new Int32Array(Uint8Array.from(bytes).buffer);
      expect([...read]).toEqual(values.slice(0, values.findLastIndex((value) => value !== 0) + 1));
    }),
  );
});

it('comes back as it was, whatever was there', () => {
  fc.assert(
    fc.property(words, (values) => {
      const from = Int32Array.from([...values, 0, 0]);
      const text = wordsToBase64(from);
      expect(isBase64Words(text, from.length)).toBe(true);
      const back = new Int32Array(from.length).fill(7);
      base64ToWords(text, back);
      expect(back).toEqual(from);
    }),
  );
});

it('never writes beyond its memory, whatever the text', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const memory = new Int32Array(6);
      base64ToWords(text, memory.subarray(1, 4));
      expect([memory[0], memory[4], memory[5]]).toEqual([0, 0, 0]);
    }),
  );
});
