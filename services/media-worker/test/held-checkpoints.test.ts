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

const anywhere = (): boolean => true;

describe('of the checkpoints of a stream', () => {
  it('the newest is stored that does not lie after what is told of', () => {
    expect(held(5000).newest(3200, anywhere)?.endMs).toBe(3000);
    expect(held(5000).newest(Number.POSITIVE_INFINITY, anywhere)?.endMs).toBe(5000);
    expect(held(5000).newest(Number.NEGATIVE_INFINITY, anywhere)).toBeUndefined();
  });

  it('none is stored that lies within an utterance that was told of', () => {
    const isOutside = (ms: number): boolean => ms <= 1200 || ms >= 4200;
    const checkpoints = held(6000);
    expect(checkpoints.newest(3200, isOutside)?.endMs).toBe(1000);
    expect(checkpoints.newest(4800, isOutside)?.endMs).toBe(4500);
  });

  it('the oldest is stored when it is held for too long', () => {
    const nowhere = (): boolean => false;
    expect(held(MAX_HOLD_MS - 1000).newest(Number.POSITIVE_INFINITY, nowhere)).toBeUndefined();
    expect(held(MAX_HOLD_MS + 5000).newest(Number.POSITIVE_INFINITY, nowhere)?.endMs).toBe(5000);
  });

  it('those stored never go back', () => {
    const looks = fc.array(fc.tuple(fc.nat(20_000), fc.nat(20_000), fc.nat(6000)));
    fc.assert(
      fc.property(looks, (all) => {
        const checkpoints = held(20_000);
        let last = 0;
        for (const [settledMs, fromMs, durationMs] of all) {
          const canBegin = (ms: number): boolean => ms <= fromMs || ms >= fromMs + durationMs;
          const endMs = checkpoints.newest(settledMs, canBegin)?.endMs ?? last;
          expect(endMs).toBeGreaterThanOrEqual(last);
          last = endMs;
        }
      }),
    );
  });
});
