import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StallWatch, stallMsOf } from '../src/recognition/stall-watch.js';

const LOOK_MS = 1000;
const STALL_MS = stallMsOf([{ endpointMs: 800 }, { endpointMs: 500 }]);

/** Looks each second; `hostAtMs` says when anything of the host came last. Returns when it stalls. */
function stallsAt(
  watch: StallWatch,
  fromMs: number,
  untilMs: number,
  hostAtMs: (nowMs: number) => number,
): number | undefined {
  for (let nowMs = fromMs; nowMs <= untilMs; nowMs += LOOK_MS) {
    if (watch.look(nowMs, 50, hostAtMs(nowMs), STALL_MS)) return nowMs;
  }
  return undefined;
}

describe('a source of which nothing comes', () => {
  it('stalls once its host has said something late enough, and a look later nothing came', () => {
    expect(stallsAt(new StallWatch(), 0, 60_000, (nowMs) => nowMs)).toBe(4000);
    const pings = (nowMs: number): number => Math.floor(nowMs / 5000) * 5000;
    expect(stallsAt(new StallWatch(), 0, 60_000, pings)).toBe(6000);
  });

  it('does not stall while its host says nothing either, as over a link that broke unnoticed', () => {
    expect(stallsAt(new StallWatch(), 0, 60_000, () => STALL_MS - 1)).toBeUndefined();
  });

  it('stalls no sooner than a pause ends what is said', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 200, max: 5000 })), (endpoints) => {
        const stallMs = stallMsOf(endpoints.map((endpointMs) => ({ endpointMs })));
        expect(stallMs).toBeGreaterThan(Math.max(0, ...endpoints));
      }),
    );
  });

  it('is waited for anew over another link, by which all is sent again', () => {
    const watch = new StallWatch();
    expect(stallsAt(watch, 0, 3000, (nowMs) => nowMs)).toBeUndefined();
    watch.restart();
    expect(stallsAt(watch, 4000, 60_000, (nowMs) => nowMs)).toBe(8000);
  });

  it('never stalls unless its host said something late enough after its last frame', () => {
    const rarely = fc.nat(9).map((n) => n === 0);
    const step = fc.record({ comes: rarely, says: fc.boolean(), isCut: rarely });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const watch = new StallWatch();
        let next = 0;
        let hostAtMs = 0;
        let quietFrom = 0;
        steps.forEach(({ comes, says, isCut }, n) => {
          const nowMs = n * LOOK_MS;
          if (isCut) watch.restart();
          if (comes) next += 1;
          if (says) hostAtMs = nowMs;
          if (comes || isCut || n === 0) quietFrom = nowMs;
          if (watch.look(nowMs, next, hostAtMs, STALL_MS)) {
            expect(hostAtMs - quietFrom).toBeGreaterThanOrEqual(STALL_MS);
          }
        });
      }),
    );
  });
});
