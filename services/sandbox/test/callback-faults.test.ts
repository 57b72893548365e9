import { describe, expect, it } from 'vitest';
import { CallbackFaults } from '../src/scenario/callback-faults.js';
import { checkScenario } from '../src/scenario/parse-scenario.js';
import type { CallbackFault } from '../src/scenario/scenario.js';
import { seededRandom } from '../src/scenario/seeded-random.js';

function faultsOf(...callbacks: object[]): readonly CallbackFault[] {
  return checkScenario({ name: 'x', rules: [{ callbacks }] }).rules[0]?.callbacks ?? [];
}

function lostOf(faults: CallbackFaults, count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1).filter(
    () => faults.next({ about: 'call' }).isLost,
  );
}

describe('CallbackFaults', () => {
  it.each([
    ['some by number', { nth: [2, 4] }, [2, 4]],
    ['each third', { every: 3 }, [3, 6]],
    ['all', {}, [1, 2, 3, 4, 5, 6]],
    ['the first two', { times: 2 }, [1, 2]],
    ['none by chance', { probability: 0 }, []],
    ['all by chance', { probability: 1 }, [1, 2, 3, 4, 5, 6]],
  ])('hits %s', (_name, choice, lost) => {
    const faults = new CallbackFaults(faultsOf({ do: 'lose', ...choice }), seededRandom(1));
    expect(lostOf(faults, 6)).toEqual(lost);
  });

  it('hits the same again with the same seed, and others with another', () => {
    const lostWith = (seed: number): number[] =>
      lostOf(
        new CallbackFaults(faultsOf({ do: 'lose', probability: 0.5 }), seededRandom(seed)),
        100,
      );
    expect(lostWith(3)).toEqual(lostWith(3));
    expect(lostWith(3)).not.toEqual(lostWith(4));
    expect(lostWith(3).length).toBeGreaterThan(30);
    expect(lostWith(3).length).toBeLessThan(70);
  });

  it('counts only what a fault is about', () => {
    const faults = new CallbackFaults(
      faultsOf(
        { do: 'duplicate', about: 'roster', nth: 2 },
        { do: 'delay', about: 'call', state: 'established', byMs: 70 },
      ),
      seededRandom(1),
    );
    expect(faults.next({ about: 'roster' }).copies).toBe(1);
    expect(faults.next({ about: 'call', state: 'establishing' })).toMatchObject({
      copies: 1,
      delayMs: 0,
    });
    expect(faults.next({ about: 'call', state: 'established' }).delayMs).toBe(70);
    expect(faults.next({ about: 'roster' }).copies).toBe(2);
  });

  it('adds up', () => {
    const faults = new CallbackFaults(
      faultsOf({ do: 'delay', byMs: 5 }, { do: 'delay', byMs: 7 }, { do: 'forge' }, { do: 'cut' }),
      seededRandom(1),
    );
    expect(faults.next({ about: 'operation' })).toEqual({
      isLost: false,
      isSwapped: false,
      copies: 1,
      delayMs: 12,
      isCut: true,
      forgery: 'signature',
    });
  });
});
