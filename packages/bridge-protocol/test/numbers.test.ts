import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isTickText, joinTicks, relativeMs, sequenceDistance, splitTicks } from '../src/index.js';

const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });

describe('sequenceDistance', () => {
  test('counts across the wrap, both ways', () => {
    expect(sequenceDistance(0xffff_ffff, 0)).toBe(1);
    expect(sequenceDistance(0, 0xffff_ffff)).toBe(-1);
    expect(sequenceDistance(5, 5)).toBe(0);
    expect(sequenceDistance(0, 0x7fff_ffff)).toBe(0x7fff_ffff);
    expect(sequenceDistance(0, 0x8000_0000)).toBe(-0x8000_0000);
  });

  test('undoes an addition modulo 2^32', () => {
    const steps = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
    fc.assert(
      fc.property(u32, steps, (from, step) => {
        expect(sequenceDistance(from, (from + step) >>> 0)).toBe(step);
      }),
    );
  });
});

describe('ticks', () => {
  test('split and join are inverse', () => {
    fc.assert(
      fc.property(u64, (ticks) => {
        const { high, low } = splitTicks(ticks);
        expect(joinTicks(high, low)).toBe(ticks);
      }),
    );
  });

  test('splitTicks refuses what is not a u64', () => {
    expect(() => splitTicks(-1n)).toThrow(RangeError);
    expect(() => splitTicks(1n << 64n)).toThrow(RangeError);
  });

  test('relativeMs agrees with the difference of the whole numbers', () => {
    const nearTicks = fc.bigInt({ min: -(2n ** 52n), max: 2n ** 52n });
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 52n, max: 2n ** 63n }), nearTicks, (epoch, distance) => {
        const at = splitTicks(epoch + distance);
        const from = splitTicks(epoch);
        expect(relativeMs(at.high, at.low, from.high, from.low)).toBe(Number(distance) / 10_000);
      }),
    );
  });

  test('relativeMs is negative before the epoch', () => {
    expect(relativeMs(0, 0xffff_ffff, 1, 0)).toBe(-0.0001);
    expect(relativeMs(1, 0, 0, 0xffff_ffff)).toBe(0.0001);
  });

  test('isTickText takes exactly the canonical decimals of u64', () => {
    fc.assert(fc.property(u64, (ticks) => isTickText(ticks.toString())));
    for (const text of ['', '-1', '00', '1.0', '1e3', ' 1', '0x1', '18446744073709551616']) {
      expect(isTickText(text)).toBe(false);
    }
  });
});
