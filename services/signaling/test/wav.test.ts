import { sine, wavFile } from '@earshot/test-kit';
import { describe, expect, it } from 'vitest';
import { parsePostedWav } from '../src/plays/wav.js';

const SOUND = sine({ hz: 300, sampleRateHz: 8000, durationMs: 100 });

describe('a posted WAV file', () => {
  it.each([
    ['nothing', new Uint8Array(0), /a WAV file, got an empty file/],
    ['another file', new TextEncoder().encode('OggS and more of that'), /a WAV file, got Ogg/],
    ['a wrong rate', wavFile({ sampleRateHz: 12_345, channels: [SOUND] }), /sample rate.*12345/],
    ['three channels', wavFile({ sampleRateHz: 8000, channels: [SOUND, SOUND, SOUND] }), /got 3/],
    [
      'less than it says',
      wavFile({ sampleRateHz: 8000, channels: [SOUND] }).slice(0, 99),
      /got 55/,
    ],
  ])('with %s is refused by the rule it breaks', (_, bytes, message) => {
    expect(() => parsePostedWav(bytes)).toThrow(message);
    expect(() => parsePostedWav(bytes)).toThrow(expect.objectContaining({ code: 'invalid_audio' }));
  });

  it('may be such as telephones have', () => {
    const file = wavFile({ sampleRateHz: 8000, tag: 7, bits: 8, channels: [SOUND] });
    expect(parsePostedWav(file)).toMatchObject({ encoding: 'mulaw', samples: SOUND.length });
  });
});
