import { describe, expect, it } from 'vitest';
import { GoneSlots } from '../src/host/gone-slots.js';

describe('GoneSlots', () => {
  it('tells ranges of one reason, from a start on, until they are durable', () => {
    const gone = new GoneSlots();
    for (const sequence of [3, 4, 6]) gone.add(sequence, 'window');
    gone.add(7, 'overflow');
    expect(gone.nextFrom(0)).toEqual({ firstSequence: 3, frames: 4, reason: 'window' });
    expect(gone.nextFrom(5)).toEqual({ firstSequence: 5, frames: 2, reason: 'window' });
    gone.forget(7);
    expect(gone.nextFrom(0)).toEqual({ firstSequence: 7, frames: 1, reason: 'overflow' });
    expect(gone.nextFrom(8)).toBeUndefined();
  });

  it('is bounded: the two oldest ranges become one, and no slot is forgotten', () => {
    const gone = new GoneSlots();
    for (let n = 0; n < 100; n += 1) gone.add(n, n % 2 === 0 ? 'window' : 'overflow');
    let told = 0;
    let ranges = 0;
    for (let at = 0, range = gone.nextFrom(0); range !== undefined; range = gone.nextFrom(at)) {
      at = range.firstSequence + range.frames;
      told += range.frames;
      ranges += 1;
    }
    expect([told, ranges]).toEqual([100, 64]);
  });
});
