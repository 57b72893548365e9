import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_LISTENING,
  listeningChangeSchema,
  listeningSettingsSchema,
  parseListeningSettings,
  withListeningChange,
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

describe('a change', () => {
  it('replaces the parts that it names as a whole, and leaves the others', () => {
    const before = parseListeningSettings({ tones: ['beep'], dictation: { endpointMs: 300 } });
    const change = listeningChangeSchema.parse({ dictation: { language: 'de-DE' }, collect: null });
    const after = withListeningChange(before ?? DEFAULT_LISTENING, change);
    expect(after.tones).toEqual(['beep']);
    expect(after.dictation).toMatchObject({ language: 'de-DE', endpointMs: 800 });
    expect(withListeningChange(after, { dictation: null }).dictation).toBeNull();
    expect(withListeningChange(after, {})).toEqual(after);
    const nothing = listeningChangeSchema.parse({
      ...{ tones: null, collect: null, phrases: null, dictation: null },
    });
    expect(withListeningChange(after, nothing)).toEqual(DEFAULT_LISTENING);
  });

  it('is refused for what no part has', () => {
    for (const wrong of [
      { dictate: {} },
      { dictation: { endpointMS: 300 } },
      { phrases: {} },
      { phrases: { phrases: ['a'], min: 1 } },
      [],
      undefined,
    ]) {
      expect(listeningChangeSchema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
    }
  });
});
