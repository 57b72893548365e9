import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReadyStreams } from '../src/ready-streams.js';

it('gives each marked stream once, after those that are listed already', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }).chain((capacity) =>
        fc.record({
          capacity: fc.constant(capacity),
          marked: fc.array(fc.array(fc.nat(capacity - 1), { maxLength: 40 }), { maxLength: 5 }),
        }),
      ),
      ({ capacity, marked }) => {
        const shared = ReadyStreams.allocate(capacity);
        const writer = new ReadyStreams(shared);
        const reader = new ReadyStreams(shared);
        const into = new Int32Array(capacity);
        const isListed = new Uint8Array(capacity);
        const model = new Set<number>();
        let count = 0;
        for (const indexes of marked) {
          for (const index of indexes) {
            writer.mark(index);
            model.add(index);
          }
          const before = [...into.subarray(0, count)];
          count = reader.take(into, count, isListed);
          expect([...into.subarray(0, before.length)]).toEqual(before);
          expect(new Set(into.subarray(0, count))).toEqual(model);
          expect(count).toBe(model.size);
        }
        expect(reader.take(into, count, isListed)).toBe(count);
      },
    ),
  );
});
