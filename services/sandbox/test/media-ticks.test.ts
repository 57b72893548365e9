import { joinTicks, relativeMs, splitTicks } from '@earshot/bridge-protocol';
import { assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MediaTicks, ntpTicks } from '../src/host/media-ticks.js';

describe('ntpTicks', () => {
  it('counts 100 ns since 1900, as the media platform was seen to', () => {
    // A timestamp that a user reported for 2020-09-30.
    const unixMs = Date.UTC(2020, 8, 30);
    expect(ntpTicks(unixMs)).toBe(38_104_128_000_000_000n);
    expect(ntpTicks(unixMs) > BigInt(Number.MAX_SAFE_INTEGER)).toBe(true);
  });
});

describe('MediaTicks', () => {
  it('adds any offset to any epoch exactly', () => {
    assert(
      property(
        integer({ min: 0, max: 4_102_444_800_000 }),
        integer({ min: 0, max: 86_400_000 }),
        (unixMs, offsetMs) => {
          const epoch = ntpTicks(unixMs);
          const { high, low } = splitTicks(epoch);
          const ticks = new MediaTicks(high, low);
          ticks.set(offsetMs);
          expect(joinTicks(ticks.high, ticks.low)).toBe(epoch + BigInt(offsetMs) * 10_000n);
          expect(relativeMs(ticks.high, ticks.low, high, low)).toBe(offsetMs);
        },
      ),
    );
  });
});
