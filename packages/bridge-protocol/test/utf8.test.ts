import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exceedsUtf8Bytes } from '../src/utf8.js';

test('counts as the platform encodes, lone surrogates too', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.constantFrom('a', 'é', '語', '🚚', '\ud83d', '\ude9a')).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(anyText, fc.integer({ min: -3, max: 3 }), (text, distance) => {
      const bytes = Buffer.byteLength(text);
      expect(exceedsUtf8Bytes(text, bytes + distance)).toBe(distance < 0);
    }),
    { numRuns: 2000 },
  );
});
