import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_LISTENING,
  listeningSettingsSchema,
  parseListeningSettings,
} from '../src/index.js';

describe('parseListeningSettings', () => {
  it('fills in the defaults of what is not said', () => {
    expect(parseListeningSettings({})).toEqual(DEFAULT_LISTENING);
    expect(parseListeningSettings({ collect: { maxDigits: 4 } })?.collect).toEqual({
      maxDigits: 4,
      terminator: '#',
      interDigitMs: 3000,
      firstDigitMs: null,
    });
  });

  it('refuses phrases without a phrase or a grammar, and keys that are none', () => {
    expect(parseListeningSettings({ phrases: {} })).toBeUndefined();
    expect(parseListeningSettings({ collect: { maxDigits: 4, terminator: 'x' } })).toBeUndefined();
  });

  it('never throws, and reads its own result as it is', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const settings = parseListeningSettings(value);
        if (settings !== undefined)
          expect(listeningSettingsSchema.parse(settings)).toEqual(settings);
      }),
    );
  });
});
