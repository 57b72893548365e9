import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecognizerUse } from '../src/recognition/recognizer-use.js';

const BEAT_MS = 3000;

function pool(threads: number) {
  const state = { busyMs: 0, waitingMs: 0, nowMs: 1000 };
  const engine = { engine: 'test', task: 'dictation' as const, audioMs: 0, faults: 0 };
  const use = new RecognizerUse({
    threads,
    backlogMs: 10_000,
    nowMs: state.nowMs,
    load: () => ({
      waitingMs: state.waitingMs,
      engines: [{ ...engine, busyMs: state.busyMs }],
    }),
  });
  return {
    state,
    beat(busyMs: number): number {
      state.busyMs += busyMs;
      state.nowMs += BEAT_MS;
      use.measure(state.nowMs);
      return use.share;
    },
  };
}

describe('what is in use of recognizers', () => {
  it('is the share of the time of all threads, within some seconds', () => {
    const { beat } = pool(2);
    expect(beat(0)).toBe(0);
    for (let n = 0; n < 20; n += 1) beat(BEAT_MS);
    expect(beat(BEAT_MS)).toBeCloseTo(0.5, 2);
    for (let n = 0; n < 20; n += 1) beat(0);
    expect(beat(0)).toBeCloseTo(0, 2);
  });

  it('is at once what waits, where that is more', () => {
    const { state, beat } = pool(2);
    state.waitingMs = 10_000;
    expect(beat(0)).toBe(0.5);
    state.waitingMs = 30_000;
    expect(beat(0)).toBe(1);
    state.waitingMs = 0;
    expect(beat(0)).toBe(0);
  });

  it('is a share, whatever is measured', () => {
    const beats = fc.array(fc.tuple(fc.nat(60_000), fc.nat(60_000)), { maxLength: 20 });
    fc.assert(
      fc.property(beats, fc.integer({ min: 1, max: 8 }), (all, threads) => {
        const { state, beat } = pool(threads);
        for (const [busyMs, waitingMs] of all) {
          state.waitingMs = waitingMs;
          const share = beat(busyMs);
          expect(share).toBeGreaterThanOrEqual(waitingMs >= 10_000 * threads ? 1 : 0);
          expect(share).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
