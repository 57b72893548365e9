import { describe, expect, it } from 'vitest';
import { isOpusVoiced } from '../src/opus-voice.js';

const SILK_WIDE_20 = 9 << 3;
const HYBRID_20 = 15 << 3;
const CELT_20 = 31 << 3;
const SILK_WIDE_60 = 11 << 3;
const STEREO = 4;
const TWO_FRAMES = 1;

describe('the voice flag of an Opus packet', () => {
  it.each([
    ['SILK with a voice', SILK_WIDE_20, 0x80, true],
    ['SILK without', SILK_WIDE_20, 0x7f, false],
    ['hybrid with a voice', HYBRID_20, 0x80, true],
    ['hybrid without', HYBRID_20, 0, false],
    ['stereo with a voice aside', SILK_WIDE_20 | STEREO, 0x20, true],
    ['stereo without', SILK_WIDE_20 | STEREO, 0x40, false],
    ['CELT, which has none', CELT_20, 0, true],
    ['three pieces, of which it is not asked', SILK_WIDE_60, 0, true],
    ['two frames, the flags of which lie elsewhere', SILK_WIDE_20 | TWO_FRAMES, 0, true],
  ])('%s', (_what, toc, flags, voiced) => {
    expect(isOpusVoiced(Uint8Array.of(toc, flags, 1, 2), 4)).toBe(voiced);
  });

  it('is not looked for where there is none', () => {
    expect(isOpusVoiced(Uint8Array.of(SILK_WIDE_20, 0), 1)).toBe(true);
    expect(isOpusVoiced(new Uint8Array(0), 0)).toBe(true);
  });
});
