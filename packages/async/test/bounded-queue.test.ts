import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedQueue } from '../src/bounded-queue.js';

describe('BoundedQueue', () => {
  it('drops the oldest and counts it', () => {
    const queue = new BoundedQueue<number>({ capacity: 2, overflow: 'dropOldest' });
    expect([1, 2, 3].map((n) => queue.push(n))).toEqual([true, true, true]);
    expect([queue.shift(), queue.shift(), queue.shift()]).toEqual([2, 3, undefined]);
    expect(queue.dropped).toBe(1);
  });

  it('refuses and counts it', () => {
    const queue = new BoundedQueue<number>({ capacity: 2, overflow: 'refuse' });
    expect([1, 2, 3].map((n) => queue.push(n))).toEqual([true, true, false]);
    expect([queue.peek(), queue.size, queue.refused]).toEqual([1, 2, 1]);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses the capacity %s', (capacity) => {
    expect(() => new BoundedQueue({ capacity, overflow: 'refuse' })).toThrow(RangeError);
  });

  it('behaves as a list that keeps its newest items (property)', () => {
    const commands = fc.array(
      fc.oneof(
        fc.integer().map((push) => ({ push })),
        fc.constant('shift' as const),
      ),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), commands, (capacity, list) => {
        const queue = new BoundedQueue<number>({ capacity, overflow: 'dropOldest' });
        const model: number[] = [];
        let dropped = 0;
        for (const command of list) {
          if (command === 'shift') {
            expect(queue.shift()).toBe(model.shift());
            continue;
          }
          queue.push(command.push);
          model.push(command.push);
          if (model.length > capacity) {
            model.shift();
            dropped += 1;
          }
        }
        expect([queue.size, queue.peek(), queue.dropped]).toEqual([
          model.length,
          model[0],
          dropped,
        ]);
      }),
    );
  });
});
