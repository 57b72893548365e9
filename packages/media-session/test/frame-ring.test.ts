import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLOSE_MODE, FrameRing, FrameSlot, SLOT_KIND } from '../src/frame-ring.js';

const EMPTY = new Uint8Array(0);

function push(ring: FrameRing, sequence: number): void {
  const payload = new Uint8Array((sequence * 7) % 100).fill(sequence);
  ring.push(sequence, sequence * 20, 1, 0, payload, 0, payload.length);
}

describe('FrameRing', () => {
  it('gives back what was put in, to the bit', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 1275 }),
        fc.nat(10),
        fc.integer({ min: 0, max: 0xffff_ffff }),
        fc.double({ noNaN: true }),
        fc.nat(255),
        fc.nat(255),
        (payload, offset, sequence, mediaTimeMs, codec, flags) => {
          const shared = FrameRing.allocate(2);
          const bytes = new Uint8Array(payload.length + offset);
          bytes.set(payload, offset);
          const writer = new FrameRing(shared);
          writer.push(sequence, mediaTimeMs, codec, flags, bytes, offset, payload.length);
          bytes.fill(0xee);
          const slot = new FrameSlot();
          expect(new FrameRing(shared).pop(slot)).toBe(true);
          expect(slot).toMatchObject({ kind: SLOT_KIND.frame, sequence, codec, flags });
          expect(slot.mediaTimeMs).toBe(mediaTimeMs);
          expect(slot.payload.subarray(0, slot.length)).toEqual(payload);
        },
      ),
    );
  });

  it('tells when its oldest record came', () => {
    const shared = FrameRing.allocate(2);
    const ring = new FrameRing(shared);
    const slot = new FrameSlot();
    expect(ring.oldestReceivedMicros).toBeUndefined();
    for (const at of [10, -20, 30]) ring.push(0, 0, 1, 0, EMPTY, 0, 0, at);
    expect(ring.oldestReceivedMicros).toBe(-20);
    const reader = new FrameRing(shared);
    reader.pop(slot);
    expect(ring.oldestReceivedMicros).toBe(30);
    reader.pop(slot);
    expect(ring.oldestReceivedMicros).toBeUndefined();
  });

  it('keeps order and counts under any interleaving of push and pop', () => {
    const steps = fc.array(
      fc.record({ op: fc.constantFrom('push', 'pop'), times: fc.integer({ min: 1, max: 12 }) }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, fc.constantFrom(2, 4, 8), (script, slots) => {
        const shared = FrameRing.allocate(slots);
        const writer = new FrameRing(shared);
        const reader = new FrameRing(shared);
        const slot = new FrameSlot();
        const model: number[] = [];
        let pushed = 0;
        let popped = 0;
        let dropped = 0;
        let droppedSeen = 0;
        const pop = (): void => {
          const expected = model.shift();
          expect(reader.pop(slot)).toBe(expected !== undefined);
          if (expected === undefined) return;
          popped += 1;
          droppedSeen += slot.droppedBefore;
          expect(slot.sequence).toBe(expected);
          expect(slot.length).toBe((expected * 7) % 100);
        };
        for (const { op, times } of script) {
          for (let i = 0; i < times; i += 1) {
            if (op === 'pop') {
              pop();
              continue;
            }
            push(writer, pushed);
            model.push(pushed);
            pushed += 1;
            if (model.length > slots) {
              model.shift();
              dropped += 1;
            }
          }
          expect(writer.waiting).toBe(model.length);
        }
        while (model.length > 0) pop();
        expect(droppedSeen).toBe(dropped);
        expect(popped + droppedSeen).toBe(pushed);
      }),
    );
  });

  it('tells a reader that comes late, or after another, what was dropped before', () => {
    const shared = FrameRing.allocate(4);
    const writer = new FrameRing(shared);
    const slot = new FrameSlot();
    for (let n = 0; n < 10; n += 1) push(writer, n);
    expect(new FrameRing(shared).pop(slot)).toBe(true);
    expect([slot.sequence, slot.droppedBefore]).toEqual([6, 6]);
    for (let n = 10; n < 13; n += 1) push(writer, n);
    expect(new FrameRing(shared).pop(slot)).toBe(true);
    expect([slot.sequence, slot.droppedBefore]).toEqual([9, 2]);
  });

  it('says whether a push dropped the oldest', () => {
    const ring = new FrameRing(FrameRing.allocate(2));
    const kept = [0, 1, 2].map((n) => ring.push(n, 0, 0, 0, EMPTY, 0, 0));
    expect(kept).toEqual([true, true, false]);
  });

  it('carries what the host let go of in order with the frames', () => {
    const ring = new FrameRing(FrameRing.allocate(4));
    push(ring, 1);
    ring.pushDiscarded(2, 70_000);
    push(ring, 70_002);
    const slot = new FrameSlot();
    const seen: [number, number][] = [];
    while (ring.pop(slot)) {
      seen.push([slot.sequence, slot.kind === SLOT_KIND.discarded ? slot.discardedFrames : 0]);
    }
    expect(seen).toEqual([
      [1, 0],
      [2, 70_000],
      [70_002, 0],
    ]);
  });

  it('shows its close, with the next sequence when there is one', () => {
    const shared = FrameRing.allocate(2);
    const reader = new FrameRing(shared);
    expect(reader.closeMode).toBe(CLOSE_MODE.open);
    new FrameRing(shared).close(CLOSE_MODE.end, 0xffff_fffe);
    expect(reader.closeMode).toBe(CLOSE_MODE.end);
    expect(reader.closeSequence).toBe(0xffff_fffe);
    new FrameRing(shared).close(CLOSE_MODE.abandon);
    expect(reader.closeMode).toBe(CLOSE_MODE.abandon);
    expect(reader.closeSequence).toBeUndefined();
  });

  it.each([0, 1, 3, 100, 131_072, 2.5])('refuses %d slots', (slots) => {
    expect(() => FrameRing.allocate(slots)).toThrow(RangeError);
  });

  it('refuses a payload larger than a slot', () => {
    const ring = new FrameRing(FrameRing.allocate(2));
    expect(() => ring.push(0, 0, 1, 0, new Uint8Array(2000), 0, 2000)).toThrow(RangeError);
    expect(ring.waiting).toBe(0);
  });

  it('is never torn between two threads, and loses only what it counts', async () => {
    const records = 300_000;
    const shared = FrameRing.allocate(4);
    const ring = new FrameRing(shared);
    const worker = new Worker(new URL('./ring-reader.mjs', import.meta.url), {
      workerData: shared,
    });
    await once(worker, 'message');
    const payload = new Uint8Array(96);
    for (let sequence = 0; sequence < records; sequence += 1) {
      payload.fill(sequence & 0xff);
      ring.push(sequence, sequence, 1, 0, payload, 0, 33 + (sequence & 63));
    }
    ring.close(CLOSE_MODE.end);
    const [result] = await once(worker, 'message');
    expect(result).toMatchObject({ torn: 0, disordered: 0, lastSequence: records - 1 });
    expect(result.popped + result.dropped).toBe(records);
    await worker.terminate();
  });
});
