import { assert, double, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_RETRY_AFTER_MS,
  REST,
  RETRY_SCHEDULE_MS,
  restMs,
  retryAfterMs,
  retryDelayMs,
} from '../src/retry.js';

const chance = double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('the retry schedule', () => {
  it('is the published one, with up to a fifth more', () => {
    assert(
      property(integer({ min: 1, max: 8 }), chance, (failures, random) => {
        const delay = retryDelayMs({ schedule: RETRY_SCHEDULE_MS, failures, random });
        const published = RETRY_SCHEDULE_MS[failures - 1];
        if (published === undefined) expect(delay).toBeUndefined();
        else {
          expect(delay).toBeGreaterThanOrEqual(published);
          expect(delay).toBeLessThanOrEqual(published * 1.2);
        }
      }),
    );
    expect(RETRY_SCHEDULE_MS.map((ms) => ms / 1000)).toEqual([5, 30, 120, 600, 3600, 21600]);
  });

  it('waits as long as it is asked to, but not for ever', () => {
    const of = (asked: number) =>
      retryDelayMs({ schedule: [5_000], failures: 1, retryAfterMs: asked, random: 0 });
    expect([of(0), of(60_000), of(10 ** 12)]).toEqual([5_000, 60_000, MAX_RETRY_AFTER_MS]);
  });
});

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    ['Tue, 14 Nov 2023 22:13:50 GMT', 30_000],
    ['Tue, 14 Nov 2023 22:13:00 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('%j is %s ms', (header, expected) => {
    expect(retryAfterMs(header, 1_700_000_000_000)).toBe(expected);
  });
});

describe('a rest', () => {
  it('begins with the third failure in a row and doubles up to a minute', () => {
    const rests = [1, 2, 3, 4, 5, 8, 9, 10, 1000].map((n) => restMs(n, undefined, REST));
    expect(rests).toEqual([0, 0, 1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it('is at least what was asked for', () => {
    expect(restMs(1, 90_000, REST)).toBe(90_000);
  });
});
