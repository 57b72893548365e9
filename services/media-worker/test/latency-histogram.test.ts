import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Latencies, LatencyHistogram } from '../src/latency-histogram.js';

const micros = fc.oneof(fc.nat(20), fc.nat(100_000), fc.nat(2 ** 31 - 1));

function recorded(values: readonly number[]): Latencies {
  const shared = LatencyHistogram.allocate();
  const histogram = new LatencyHistogram(shared);
  for (const value of values) histogram.record(value);
  return new LatencyHistogram(shared).read();
}

describe('LatencyHistogram', () => {
  it('tells any quantile within an eighth, and the sum exactly', () => {
    fc.assert(
      fc.property(
        fc.array(micros, { minLength: 1, maxLength: 200 }),
        fc.constantFrom(0, 0.5, 0.9, 0.99, 1),
        (values, share) => {
          const latencies = recorded(values);
          const sorted = [...values].sort((a, b) => a - b);
          const exact = sorted[Math.max(1, Math.ceil(values.length * share)) - 1]!;
          const told = latencies.quantileMs(share) * 1000;
          expect(told).toBeGreaterThan(exact);
          expect(told).toBeLessThanOrEqual(Math.max(exact + 1, exact * 1.125 + 1));
          expect(latencies.count).toBe(values.length);
          expect(latencies.sumMicros).toBe(values.reduce((sum, value) => sum + value, 0));
        },
      ),
    );
  });

  it('counts exactly what lies below a power of two', () => {
    fc.assert(
      fc.property(fc.array(micros), fc.integer({ min: 0, max: 31 }), (values, power) => {
        const below = values.filter((value) => value < 2 ** power).length;
        expect(recorded(values).below(power)).toBe(below);
      }),
    );
  });

  it('adds up threads, and tells what came since', () => {
    const first = recorded([5, 900]);
    const both = Latencies.sum([recorded([5, 900, 900, 70_000]), recorded([3])]);
    const since = both.since(first);
    expect([both.count, since.count, since.sumMicros]).toEqual([5, 3, 70_903]);
    expect(since.below(10)).toBe(2);
  });

  it('takes a clock that stepped back for no time at all', () => {
    expect(recorded([-5]).quantileMs(1)).toBe(0.001);
    expect(recorded([]).quantileMs(0.5)).toBe(0);
  });
});
