import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MediaClock } from '../src/media-clock.js';

describe('MediaClock', () => {
  it('is right as soon as one event was punctual (property)', () => {
    const lateness = fc.array(fc.nat(2_000), { minLength: 1 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), lateness, (speed, latenessMs) => {
        const clock = new MediaClock(speed);
        [0, ...latenessMs].forEach((lateMs, index) => {
          clock.see(index * 100 * speed, 5_000 + index * 100 + lateMs);
        });
        expect(clock.at(9_000)).toBe(4_000 * speed);
      }),
    );
  });

  it('shows 0 before the first event and stands still after the end', () => {
    const clock = new MediaClock(1);
    expect(clock.at(123)).toBe(0);
    clock.see(1_000, 10_000);
    clock.stop(1_500);
    expect(clock.at(99_999)).toBe(1_500);
  });
});
