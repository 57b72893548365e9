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

function sendAll(ring: StreamRing): Sent[] {
  const sent: Sent[] = [];
  while (ring.isReady) {
    sent.push({ sequence: ring.nextSequence, replayed: ring.nextIsReplay });
    ring.advance();
  }
  return sent;
}

function push(ring: StreamRing, ...sequences: number[]): void {
  for (const sequence of sequences) ring.push(sequence, sequence * 20, sequence, 0);
}

describe('StreamRing', () => {
  it('gives frames out in order, each once, with what it was given', () => {
    const ring = new StreamRing(4);
    ring.push(7, 140, 3, 4);
    expect([ring.nextSequence, ring.nextCaptureMs, ring.nextFrame, ring.nextFlags]).toEqual([
      7, 140, 3, 4,
    ]);
    push(ring, 8, 9);
    expect(sendAll(ring).map((s) => s.sequence)).toEqual([7, 8, 9]);
    expect([ring.unsent, ring.inFlight]).toEqual([0, 3]);
  });

  it('drops the oldest when full and tells once which slots were never sent', () => {
    const ring = new StreamRing(3);
    push(ring, 0, 1, 2, 3, 5);
    expect(ring.takeLost()).toEqual({ firstSequence: 0, frames: 2 });
    expect(ring.takeLost()).toBeUndefined();
    expect(sendAll(ring).map((s) => s.sequence)).toEqual([2, 3, 5]);
  });

  it('keeps counting what is in flight when its frames are dropped', () => {
    const ring = new StreamRing(2);
    push(ring, 0, 1);
    sendAll(ring);
    push(ring, 2, 3, 4);
    expect([ring.inFlight, ring.isReady]).toEqual([2, false]);
    ring.acknowledge(1, 0);
    expect([ring.inFlight, ring.isReady]).toEqual([1, true]);
    expect(ring.takeLost()).toEqual({ firstSequence: 2, frames: 1 });
    expect(sendAll(ring).map((s) => s.sequence)).toEqual([3]);
  });

  it('loses nothing by dropping what was sent', () => {
    const ring = new StreamRing(2);
    for (const sequence of [0, 1, 2, 3]) {
      push(ring, sequence);
      sendAll(ring);
      ring.acknowledge(sequence + 1, 0);
    }
    expect(ring.takeLost()).toBeUndefined();
  });

  it('sends again from where the new link begins, marked as replayed', () => {
    const ring = new StreamRing(8);
    push(ring, 0, 1, 2, 3);
    sendAll(ring);
    ring.acknowledge(2, 1);
    push(ring, 4);
    ring.rewind(2);
    expect(sendAll(ring)).toEqual([
      { sequence: 2, replayed: true },
      { sequence: 3, replayed: true },
      { sequence: 4, replayed: false },
    ]);
  });

  it('tells what a new link wants and the window no longer holds', () => {
    const ring = new StreamRing(2);
    push(ring, 0, 1);
    sendAll(ring);
    ring.acknowledge(2, 0);
    push(ring, 2, 3);
    sendAll(ring);
    ring.rewind(1);
    expect(ring.takeLost()).toEqual({ firstSequence: 1, frames: 1 });
    expect(sendAll(ring).map((s) => s.sequence)).toEqual([2, 3]);
  });

  it('does not take slots that are missing at the edge of the window for lost ones', () => {
    const ring = new StreamRing(4);
    push(ring, 0, 1, 5, 6);
    sendAll(ring);
    ring.acknowledge(2, 2);
    ring.rewind(2);
    expect(ring.takeLost()).toBeUndefined();
    expect(sendAll(ring).map((s) => s.sequence)).toEqual([5, 6]);
  });

  it('works across the wrap of the sequence', () => {
    const ring = new StreamRing(4);
    push(ring, 0xffff_fffe, 0xffff_ffff, 0, 1);
    sendAll(ring);
    ring.acknowledge(0, 0);
    expect(ring.inFlight).toBe(2);
    ring.rewind(0);
    expect(sendAll(ring).map((s) => s.sequence)).toEqual([0, 1]);
  });

  it('accounts for every frame, whatever happens in whatever order', () => {
    const step = oneof(
      record({ kind: constant('push' as const), skip: nat(3) }),
      record({ kind: constant('send' as const), frames: nat(6) }),
      record({ kind: constant('acknowledge' as const), share: nat(100) }),
      record({ kind: constant('reconnect' as const), share: nat(100) }),
    );
    assert(
      property(
        integer({ min: 1, max: 9 }),
        constantFrom(0, 0xffff_fff0),
        array(step, { maxLength: 80 }),
        (capacity, start, steps) => {
          const ring = new StreamRing(capacity);
          let next = 0;
          let received = 0;
          const pushed = new Set<number>();
          const arrived = new Set<number>();
          const lost = new Set<number>();
          const note = (): void => {
            const range = ring.takeLost();
            if (range === undefined) return;
            const first = (range.firstSequence - start) >>> 0;
            for (let i = first; i < first + range.frames; i += 1) lost.add(i);
          };
          for (const s of steps) {
            if (s.kind === 'push') {
              next += s.skip;
              ring.push((start + next) >>> 0, next * 20, next, 0);
              pushed.add(next);
              next += 1;
              note();
            } else if (s.kind === 'send') {
              for (let i = 0; i < s.frames && ring.isReady; i += 1) {
                const sequence = (ring.nextSequence - start) >>> 0;
                expect(ring.nextFrame).toBe(sequence);
                arrived.add(sequence);
                ring.advance();
              }
            } else if (s.kind === 'acknowledge') {
              const top = Math.max(-1, ...arrived) + 1;
              received = Math.max(received, Math.floor((top * s.share) / 100));
              ring.acknowledge((start + received) >>> 0, (start + received) >>> 0);
            } else {
              ring.rewind((start + received) >>> 0);
              note();
            }
            expect(Math.max(ring.unsent, ring.inFlight)).toBeLessThanOrEqual(capacity);
          }
          ring.acknowledge((start + next) >>> 0, (start + received) >>> 0);
          expect(ring.inFlight).toBe(0);
          while (ring.isReady) {
            arrived.add((ring.nextSequence - start) >>> 0);
            ring.advance();
          }
          for (const sequence of pushed)
            expect(arrived.has(sequence) || lost.has(sequence)).toBe(true);
        },
      ),
    );
  });
});
