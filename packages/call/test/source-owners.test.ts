import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SourceOwner, SourceOwners } from '../src/source-owners.js';
import { HANDOVER_MS, MAX_SPANS, ownerAt, withOwner } from '../src/source-owners.js';

const ADA: SourceOwner = { participantId: 'p-ada', displayName: 'Ada' };
const BOB: SourceOwner = { participantId: 'p-bob' };

function told(...steps: (readonly [atMs: number, owner: SourceOwner | undefined])[]): SourceOwners {
  return steps.reduce<SourceOwners>((owners, [atMs, owner]) => withOwner(owners, owner, atMs), []);
}

describe('whose a source is', () => {
  it('is nobody before a roster tells', () => {
    expect(ownerAt([], 0)).toBeUndefined();
    expect(told([5, undefined])).toEqual([]);
  });

  it('is told for sound of before, too', () => {
    expect(ownerAt(told([10_000, ADA]), 1_000)).toEqual(ADA);
  });

  it('goes by the time when it is given to somebody else', () => {
    const owners = told([0, ADA], [60_000, undefined], [120_000, BOB]);
    expect(ownerAt(owners, 59_999)).toEqual(ADA);
    expect(ownerAt(owners, 60_000 + HANDOVER_MS)).toEqual(ADA);
    // What sounds after she is gone can only be the next one's, whom the roster names late.
    expect(ownerAt(owners, 60_001 + HANDOVER_MS)).toEqual(BOB);
    expect(ownerAt(owners, 500_000)).toEqual(BOB);
  });

  it('is not known of one that sounds after its owner left', () => {
    expect(ownerAt(told([0, ADA], [60_000, undefined]), 100_000)).toBeUndefined();
  });

  it('needs no word of the leaving', () => {
    const owners = told([0, ADA], [60_000, BOB]);
    expect(ownerAt(owners, 59_999)).toEqual(ADA);
    expect(ownerAt(owners, 60_001)).toEqual(BOB);
  });

  it('keeps the time when a name changes or somebody comes back', () => {
    const renamed = { ...ADA, displayName: 'Ada L.' };
    expect(told([0, ADA], [5, renamed])).toEqual([{ ...renamed, fromMs: 0 }]);
    expect(told([0, ADA], [5, undefined], [9, ADA])).toEqual([{ ...ADA, fromMs: 0 }]);
    const owners = told([0, ADA]);
    expect(withOwner(owners, ADA, 5)).toBe(owners);
  });

  it('is told in order, bounded, and never overlaps (property)', () => {
    const step = fc.tuple(
      fc.integer({ min: 0, max: 1_000 }),
      fc.option(fc.constantFrom(ADA, BOB, { participantId: 'p-cy' }), { nil: undefined }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let nowMs = 0;
        let owners: SourceOwners = [];
        for (const [passedMs, owner] of steps) {
          nowMs += passedMs;
          owners = withOwner(owners, owner, nowMs);
          if (owner !== undefined) expect(ownerAt(owners, nowMs)).toEqual(owner);
        }
        expect(owners.length).toBeLessThanOrEqual(MAX_SPANS);
        for (const [index, { toMs }] of owners.entries()) {
          const next = owners[index + 1];
          if (next !== undefined) expect(toMs).toBeLessThanOrEqual(next.fromMs);
        }
        expect(JSON.parse(JSON.stringify(owners))).toEqual(owners);
      }),
    );
  });
});
