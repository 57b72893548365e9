import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GapTimeline } from '../src/gap-timeline.js';

describe('GapTimeline', () => {
  it('counts what was jumped over', () => {
    const timeline = new GapTimeline();
    expect(timeline.expected).toBeUndefined();
    expect([7, 8, 11, 12].map((n) => timeline.accept(n))).toEqual([0, 0, 2, 0]);
    expect([timeline.expected, timeline.received, timeline.missing, timeline.dropped]).toEqual([
      13, 4, 2, 0,
    ]);
  });

  it('drops late and duplicate frames and stays where it is', () => {
    const timeline = new GapTimeline();
    expect([5, 5, 4, 6, 5].map((n) => timeline.accept(n))).toEqual([0, -1, -1, 0, -1]);
    expect([timeline.expected, timeline.received, timeline.dropped]).toEqual([7, 2, 3]);
  });

  it('goes on over the wrap', () => {
    const timeline = new GapTimeline();
    expect([0xffff_fffe, 0xffff_ffff, 0, 2, 0xffff_ffff].map((n) => timeline.accept(n))).toEqual([
      0, 0, 0, 1, -1,
    ]);
  });

  it('forgets everything on reset', () => {
    const timeline = new GapTimeline();
    [1, 5, 5].forEach((n) => {
      timeline.accept(n);
    });
    timeline.reset();
    expect([timeline.expected, timeline.received, timeline.missing, timeline.dropped]).toEqual([
      undefined,
      0,
      0,
      0,
    ]);
    expect(timeline.accept(3)).toBe(0);
  });

  it('accounts for every slot, wherever it starts (property)', () => {
    const frames = fc.array(
      fc.record({
        missing: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0x7fff_ffff })),
        repeats: fc.integer({ min: 0, max: 2 }),
        behind: fc.integer({ min: 1, max: 0x7fff_ffff }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    const start = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(start, frames, (first, list) => {
        const timeline = new GapTimeline();
        timeline.accept(first);
        let expected = (first + 1) >>> 0;
        let [missing, dropped] = [0, 0];
        for (const frame of list) {
          const sequence = (expected + frame.missing) >>> 0;
          expect(timeline.accept(sequence)).toBe(frame.missing);
          expected = (sequence + 1) >>> 0;
          missing += frame.missing;
          for (let i = 0; i < frame.repeats; i += 1) {
            expect(timeline.accept(sequence)).toBe(-1);
            expect(timeline.accept((expected - frame.behind) >>> 0)).toBe(-1);
            dropped += 2;
          }
          expect(timeline.expected).toBe(expected);
        }
        expect([timeline.received, timeline.missing, timeline.dropped]).toEqual([
          list.length + 1,
          missing,
          dropped,
        ]);
      }),
    );
  });
});
