import type { StreamCheckpoint } from '@earshot/media-session';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeldCheckpoints, MAX_HOLD_MS } from '../src/held-checkpoints.js';

/** Only its place counts here. */
function checkpointAt(endMs: number): StreamCheckpoint {
  return { version: 2, position: endMs / 20, endMs, state: [], model: '' };
}

function held(untilMs: number, spacingMs = 500): HeldCheckpoints {
  const checkpoints = new HeldCheckpoints();
  for (let ms = 0; ms <= untilMs; ms += spacingMs) checkpoints.keep(checkpointAt(ms));
  return checkpoints;
}

describe('of the checkpoints of a stream', () => {
  it('the newest is stored that does not lie after what is told of', () => {
    expect(held(5000).newest(3200)?.endMs).toBe(3000);
    expect(held(5000).newest(Number.POSITIVE_INFINITY)?.endMs).toBe(5000);
    expect(held(5000).newest(Number.NEGATIVE_INFINITY)).toBeUndefined();
  });

  it('the oldest is stored when it is held for too long', () => {
    expect(held(MAX_HOLD_MS - 1000).newest(Number.NEGATIVE_INFINITY)).toBeUndefined();
    expect(held(MAX_HOLD_MS + 5000).newest(Number.NEGATIVE_INFINITY)?.endMs).toBe(5000);
  });

  it('those stored never go back', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000)), (looks) => {
        const checkpoints = held(20_000);
        let last = 0;
        for (const settledMs of looks) {
          const endMs = checkpoints.newest(settledMs)?.endMs ?? last;
          expect(endMs).toBeGreaterThanOrEqual(last);
          last = endMs;
        }
      }),
    );
  });
});
