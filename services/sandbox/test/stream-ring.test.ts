import {
  array,
  assert,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamRing } from '../src/host/stream-ring.js';

interface Sent {
  readonly sequence: number;
  readonly replayed: boolean;
}

const SIZE = 10;

function ringOf(frames: number, bytes = 1_000_000): StreamRing {
  return new StreamRing({ frames, bytes });
}

function sendAll(ring: StreamRing): Sent[] {
  const sent: Sent[] = [];
  while (ring.isReady) {
    sent.push({ sequence: ring.nextSequence, replayed: ring.nextIsReplay });
    ring.advance();
  }
  return sent;
}

function push(ring: StreamRing, ...sequences: number[]): void {
  for (const sequence of sequences) ring.push(sequence, sequence * 20, sequence, 0, SIZE);
}

function gone(ring: StreamRing): [reason: string, first: number, frames: number][] {
  const ranges: [string, number, number][] = [];
  for (let range = ring.takeGone(); range !== undefined; range = ring.takeGone()) {
    ranges.push([range.reason, range.firstSequence, range.frames]);
  }
  return ranges;
}

describe('StreamRing', () => {
  it('gives frames out in order, each once, with what it was given', () => {
    const ring = ringOf(4);
    ring.push(7, 140, 3, 4, SIZE);
    expect([ring.nextSequence, ring.nextCaptureMs, ring.nextFrame, ring.nextFlags]).toEqual([
      7, 140, 3, 4,
    ]);
    push(ring, 8, 9);
    expect(sendAll(ring).map((s) => s.sequence)).toEqual([7, 8, 9]);
    expect([ring.unsent, ring.length, ring.bytes]).toEqual([0, 3, 3 * SIZE]);
  });

  it('drops the oldest when full and tells once which slots were never sent', () => {
    const ring = ringOf(3);
    push(ring, 0, 1, 2, 3, 5);
    expect(gone(ring)).toEqual([['overflow', 0, 2]]);
    expect(gone(ring)).toEqual([]);
    expect(sendAll(ring).map((s) => s.sequence)).toEqual([2, 3, 5]);
  });

  it('is bounded in bytes too, but holds one frame however large', () => {
    const ring = ringOf(100, 3 * SIZE);
    push(ring, 0, 1, 2, 3, 4);
    expect([ring.length, ring.bytes]).toEqual([3, 3 * SIZE]);
    expect(gone(ring)).toEqual([['overflow', 0, 2]]);
    ring.push(5, 100, 5, 0, 2 * SIZE);
    expect([ring.length, ring.bytes]).toEqual([2, 3 * SIZE]);
    ring.push(6, 120, 6, 0, 5 * SIZE);
    expect([ring.length, ring.bytes, ring.nextSequence]).toEqual([1, 5 * SIZE, 6]);
  });

  it('tells nothing of what it drops after sending it, on that link', () => {
    const ring = ringOf(2);
    for (const sequence of [0, 1, 2, 3]) {
      push(ring, sequence);
      sendAll(ring);
    }
    expect(gone(ring)).toEqual([]);
  });

  it('sends again from where the new link begins, marked as replayed', () => {
    const ring = ringOf(8);
    push(ring, 0, 1, 2, 3);
    sendAll(ring);
    ring.forget(1);
    push(ring, 4);
    ring.rewind(2);
    expect(sendAll(ring)).toEqual([
      { sequence: 2, replayed: true },
      { sequence: 3, replayed: true },
      { sequence: 4, replayed: false },
    ]);
  });

  it('tells a new link what was sent once and is out of the window, apart from the unsent', () => {
    const ring = ringOf(2);
    push(ring, 0, 1, 2);
    // Of these, 0 was never sent.
    sendAll(ring);
    push(ring, 3, 4, 5);
    ring.rewind(0);
    expect(gone(ring)).toEqual([
      ['overflow', 0, 1],
      ['window', 1, 2],
      ['overflow', 3, 1],
    ]);
    expect(sendAll(ring).map((s) => s.sequence)).toEqual([4, 5]);
  });

  it('tells nothing of slots before the start of the link', () => {
    const ring = ringOf(2);
    push(ring, 0, 1);
    sendAll(ring);
    push(ring, 2, 3);
    sendAll(ring);
    ring.rewind(1);
    expect(gone(ring)).toEqual([['window', 1, 1]]);
    ring.rewind(2);
    expect(gone(ring)).toEqual([]);
    expect(sendAll(ring).map((s) => s.sequence)).toEqual([2, 3]);
  });

  it('does not take slots that are missing at the edge of the window for given up', () => {
    const ring = ringOf(4);
    push(ring, 0, 1, 5, 6);
    sendAll(ring);
    ring.forget(2);
    ring.rewind(2);
    expect(gone(ring)).toEqual([]);
    expect(sendAll(ring).map((s) => s.sequence)).toEqual([5, 6]);
  });

  it('works across the wrap of the sequence', () => {
    const ring = ringOf(4);
    ring.rewind(0xffff_fffe);
    push(ring, 0xffff_fffe, 0xffff_ffff, 0, 1);
    sendAll(ring);
    ring.forget(0);
    expect(ring.length).toBe(2);
    ring.rewind(0);
    expect(sendAll(ring).map((s) => s.sequence)).toEqual([0, 1]);
  });

  it('has or tells every frame that is not durable, on each link, within its bounds', () => {
    const step = oneof(
      record({ kind: constant('push' as const), skip: nat(3), size: integer({ min: 1, max: 30 }) }),
      record({ kind: constant('send' as const), frames: nat(6) }),
      record({ kind: constant('forget' as const), share: nat(100) }),
      record({ kind: constant('rewind' as const), share: nat(100) }),
    );
    assert(
      property(
        integer({ min: 1, max: 9 }),
        integer({ min: 30, max: 100 }),
        constantFrom(0, 0xffff_fff0),
        array(step, { maxLength: 80 }),
        (frames, bytes, start, steps) => {
          const ring = new StreamRing({ frames, bytes });
          ring.rewind(start);
          let next = 0;
          let durable = 0;
          let from = 0;
          const pushed = new Set<number>();
          const everSent = new Set<number>();
          let heard = new Set<number>();
          const tell = (): void => {
            for (const [reason, firstSequence, count] of gone(ring)) {
              const first = (firstSequence - start) >>> 0;
              expect(first).toBeGreaterThanOrEqual(from);
              for (let slot = first; slot < first + count; slot += 1) {
                expect(heard.has(slot)).toBe(false);
                if (pushed.has(slot)) expect(everSent.has(slot)).toBe(reason === 'window');
                heard.add(slot);
              }
            }
          };
          const send = (count: number): void => {
            for (let i = 0; i < count && ring.isReady; i += 1) {
              tell();
              const slot = (ring.nextSequence - start) >>> 0;
              expect(ring.nextFrame).toBe(slot);
              expect(ring.nextIsReplay).toBe(everSent.has(slot));
              everSent.add(slot);
              heard.add(slot);
              ring.advance();
            }
          };
          for (const s of steps) {
            if (s.kind === 'push') {
              next += s.skip;
              ring.push((start + next) >>> 0, next * 20, next, 0, s.size);
              pushed.add(next);
              next += 1;
            } else if (s.kind === 'send') {
              send(s.frames);
            } else if (s.kind === 'forget') {
              const top = Math.max(-1, ...heard) + 1;
              durable = Math.max(durable, Math.floor((top * s.share) / 100));
              ring.forget((start + durable) >>> 0);
            } else {
              const top = Math.max(durable, ...[...everSent].map((slot) => slot + 1));
              from = durable + Math.floor(((top - durable) * s.share) / 100);
              heard = new Set();
              ring.rewind((start + from) >>> 0);
            }
            expect(ring.length).toBeLessThanOrEqual(frames);
            expect(ring.bytes).toBeLessThanOrEqual(bytes);
          }
          send(Number.POSITIVE_INFINITY);
          tell();
          for (const slot of pushed) if (slot >= from) expect(heard.has(slot)).toBe(true);
        },
      ),
    );
  });
});
