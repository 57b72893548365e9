import { VirtualClock } from '@earshot/async';
import { expect, test } from 'vitest';
import type { TakesTurns } from '../src/progress-turns.js';
import { ProgressTurns } from '../src/progress-turns.js';

test('each call has its turn five times a second, and no two of ten at once', () => {
  const clock = new VirtualClock();
  const turns = new ProgressTurns();
  const told = new Map<TakesTurns, number[]>();
  for (let i = 0; i < 10; i += 1) {
    const call = { sendProgress: () => told.get(call)?.push(clock.nowMs()) };
    told.set(call, []);
    turns.add(call);
  }
  const stop = turns.start(clock);
  clock.advance(1000);
  const times = [...told.values()];
  expect(times.map((each) => each.length)).toEqual(times.map(() => 5));
  expect(new Set(times.flat()).size).toBe(50);

  const [gone] = told.keys();
  turns.remove(gone!);
  clock.advance(200);
  expect(told.get(gone!)).toHaveLength(5);
  stop();
  clock.advance(200);
  expect([...told.values()].flat()).toHaveLength(59);
});
