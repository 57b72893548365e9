import { VirtualClock } from '@earshot/async';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RoundTrips } from '../src/round-trips.js';

describe('RoundTrips', () => {
  test('measures the newest answered ping, also when answers overlap', () => {
    const clock = new VirtualClock();
    const trips = new RoundTrips(clock);
    expect(trips.rttMs).toBeUndefined();
    expect(trips.ping()).toBe(1);
    clock.advance(30);
    expect(trips.ping()).toBe(2);
    clock.advance(10);
    expect(trips.pong(1)).toBe(40);
    expect(trips.pong(2)).toBe(10);
    expect(trips.rttMs).toBe(10);
  });

  test('takes no pong twice, none that it did not ask for, and none of long ago', () => {
    const clock = new VirtualClock();
    const trips = new RoundTrips(clock);
    trips.ping();
    clock.advance(7);
    for (const id of [0, 2, 9, 0xffff_ffff]) expect(trips.pong(id)).toBeUndefined();
    expect(trips.pong(1)).toBe(7);
    expect(trips.pong(1)).toBeUndefined();
    for (let n = 0; n < 9; n += 1) trips.ping();
    expect(trips.pong(2)).toBeUndefined();
    expect(trips.pong(3)).toBe(0);
  });

  test('whatever pongs come, a time told is one since a ping of that id', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('ping' as const), id: fc.constant(0) }),
      fc.record({ kind: fc.constant('pong' as const), id: fc.integer({ min: 0, max: 40 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const clock = new VirtualClock();
        const trips = new RoundTrips(clock);
        const waiting = new Map<number, number>();
        let newest = 0;
        for (const { kind, id } of steps) {
          clock.advance(3);
          if (kind === 'ping') {
            newest = trips.ping();
            waiting.set(newest, clock.nowMs());
            continue;
          }
          const sentMs = newest - id < 8 ? waiting.get(id) : undefined;
          expect(trips.pong(id)).toBe(sentMs === undefined ? undefined : clock.nowMs() - sentMs);
          waiting.delete(id);
        }
      }),
    );
  });
});
