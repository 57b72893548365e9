import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BreakerState } from '../src/failover/breaker.js';
import {
  afterAttempt,
  afterFailure,
  afterSuccess,
  allows,
  DEFAULT_BREAKER,
  NEW_BREAKER,
} from '../src/failover/breaker.js';

const steps = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 400_000 }),
    outcome: fc.constantFrom('success', 'failure', 'hopeless'),
  }),
  { maxLength: 60 },
);

test('it always allows another attempt in bounded time, and at once after a success', () => {
  fc.assert(
    fc.property(steps, (all) => {
      let state: BreakerState = NEW_BREAKER;
      let nowMs = 0;
      for (const { afterMs, outcome } of all) {
        nowMs += afterMs;
        if (!allows(state, nowMs)) continue;
        state = afterAttempt(state, nowMs, DEFAULT_BREAKER);
        if (outcome === 'success') state = afterSuccess();
        else state = afterFailure(state, nowMs, outcome === 'hopeless', DEFAULT_BREAKER);
        expect(allows(state, nowMs + DEFAULT_BREAKER.maxMs)).toBe(true);
        if (outcome === 'success') expect(allows(state, nowMs)).toBe(true);
        if (outcome === 'hopeless') expect(allows(state, nowMs)).toBe(false);
      }
    }),
  );
});

test('failures in a row open it, each failed trial for twice as long, up to the bound', () => {
  let state: BreakerState = NEW_BREAKER;
  let nowMs = 0;
  state = afterFailure(state, nowMs, false, DEFAULT_BREAKER);
  expect(allows(state, nowMs)).toBe(true);
  state = afterFailure(state, nowMs, false, DEFAULT_BREAKER);
  const waits: number[] = [];
  for (let trial = 0; trial < 9; trial += 1) {
    if (state.kind !== 'open') throw new Error('must be open');
    waits.push(state.untilMs - nowMs);
    expect(allows(state, state.untilMs - 1)).toBe(false);
    nowMs = state.untilMs;
    state = afterAttempt(state, nowMs, DEFAULT_BREAKER);
    // One trial at a time.
    expect(allows(state, nowMs)).toBe(false);
    state = afterFailure(state, nowMs, false, DEFAULT_BREAKER);
  }
  expect(waits.slice(0, 4)).toEqual([5000, 10_000, 20_000, 40_000]);
  expect(waits.at(-1)).toBe(300_000);
});
