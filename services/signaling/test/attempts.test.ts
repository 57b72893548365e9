import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { creationOf, mayAttemptAgain } from '../src/calls/attempts.js';
import { MAX_ATTEMPTS } from '../src/calls/call-attempt.js';
import { localEnd } from '../src/calls/call-end.js';
import { serviceState } from '../src/calls/service-state.js';
import type { Chance } from './support/attempt-world.js';
import { AttemptWorld } from './support/attempt-world.js';

const chances: fc.Arbitrary<Chance[]> = fc.array(
  fc.record({ what: fc.nat(999), which: fc.nat(999) }),
  { minLength: 20, maxLength: 120, size: 'max' },
);

/** What the runs together have come through; a property that never meets its subject proves nothing. */
interface Seen {
  legs: number;
  rejoined: number;
  ended: number;
}

function run(mayRepeat: boolean, steps: readonly Chance[], seen: Seen): AttemptWorld {
  const world = new AttemptWorld(mayRepeat);
  for (const step of steps) {
    world.step(step);
    expect(world.aliveLegs).toBeLessThanOrEqual(1);
  }
  const { attempt } = world.state;
  seen.legs += world.legs.length;
  seen.rejoined += attempt?.number === 2 ? 1 : 0;
  return world;
}

describe('the attempts of a call', () => {
  it('have one leg at most at any time, whatever fails in whatever order', () => {
    const seen: Seen = { legs: 0, rejoined: 0, ended: 0 };
    fc.assert(
      fc.property(chances, (steps) => {
        const world = run(true, steps, seen);
        const { hostsTried, legs } = world;
        expect(hostsTried.length).toBeLessThanOrEqual(MAX_ATTEMPTS);
        expect(new Set(hostsTried).size).toBe(hostsTried.length);
        expect(creationOf(world.record)).toBeGreaterThanOrEqual(legs.length);
      }),
      { numRuns: 1_500 },
    );
    expect(seen.legs).toBeGreaterThan(500);
    expect(seen.rejoined).toBeGreaterThan(100);
  });

  it('leave nothing once the call is hung up: no leg, no host, no place', () => {
    fc.assert(
      fc.property(chances, (steps) => {
        const world = run(true, steps, { legs: 0, rejoined: 0, ended: 0 });
        world.hangUp();
        world.settle();
        const { end, place, hostHeld, attempt } = world.state;
        expect(end).toBeDefined();
        expect(world.aliveLegs).toBe(0);
        expect([place, hostHeld]).toEqual(['free', false]);
        expect(attempt?.earlier.some((earlier) => earlier.hostHeld)).toBe(false);
        expect(world.record.endedAtMs).toBeDefined();
      }),
      { numRuns: 600 },
    );
  });

  it('are one only when that is wished', () => {
    fc.assert(
      fc.property(chances, (steps) => {
        const world = run(false, steps, { legs: 0, rejoined: 0, ended: 0 });
        expect(world.hostsTried.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });

  it('do not follow one another for a failure that another host would share', () => {
    const world = new AttemptWorld(true);
    const { attempt, ...state } = world.state;
    if (attempt === undefined) throw new Error('no attempt');
    const { wanted: _, ...begun } = attempt;
    const record = { ...world.record, service: { ...state, attempt: begun } };
    const atMs = world.nowMs;
    expect(mayAttemptAgain(record, localEnd('media_failed', atMs))).toBe(true);
    expect(mayAttemptAgain(record, localEnd('call_gone', atMs))).toBe(false);
    expect(mayAttemptAgain(record, localEnd('graph_refused', atMs))).toBe(false);
    const limit = { code: 429, subcode: 8529 };
    expect(mayAttemptAgain(record, localEnd('graph_refused', atMs, limit))).toBe(false);
    const hungUp = { ...record, service: { ...serviceState(record), hangUpAtMs: atMs } };
    expect(mayAttemptAgain(hungUp, localEnd('media_failed', atMs))).toBe(false);
  });
});
