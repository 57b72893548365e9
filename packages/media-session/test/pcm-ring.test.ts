import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PCM_RECORD, PcmRecord, PcmRing } from '../src/pcm-ring.js';

const SLOTS = 8;

function ends(): { writer: PcmRing; reader: PcmRing } {
  const shared = PcmRing.allocate(SLOTS, 7);
  return { writer: new PcmRing(shared), reader: new PcmRing(shared) };
}

function pcmOf(n: number): Int16Array {
  return Int16Array.from({ length: 320 }, (_, i) => n * 31 + i);
}

function sound(ring: PcmRing, ms: number, sequence: number, pcm: Int16Array): void {
  ring.timeMs[0] = ms;
  ring.sound(sequence, pcm);
}

describe('PcmRing', () => {
  it('gives back sound and marks, to the bit, and how far its reader is', () => {
    const { writer, reader } = ends();
    expect(writer.consumed).toBe(7);
    writer.note(PCM_RECORD.speechStarted, 10.5, 0, 8);
    sound(writer, 20.25, 9, pcmOf(3));
    writer.note(PCM_RECORD.lost, 40.25, 60, 9);
    writer.note(PCM_RECORD.silence, 120.25, 20, 0x7fff_ffff);
    writer.note(PCM_RECORD.speechEnded, 100.25, 0, 0xffff_fff0);
    const record = new PcmRecord();
    expect(reader.pop(record)).toBe(true);
    expect(record).toMatchObject({ kind: PCM_RECORD.speechStarted, mediaTimeMs: 10.5 });
    expect(reader.pop(record)).toBe(true);
    expect(record).toMatchObject({ mediaTimeMs: 20.25, durationMs: 20, speechStartMs: 10.5 });
    expect(record.pcm).toEqual(pcmOf(3));
    expect(writer.consumed).toBe(9);
    reader.pop(record);
    expect(record).toMatchObject({ kind: PCM_RECORD.lost, durationMs: 60, droppedBefore: 0 });
    reader.pop(record);
    reader.pop(record);
    expect(record.speechStartMs).toBeNaN();
    expect(writer.consumed).toBe(0xffff_fff0);
    expect(reader.pop(record)).toBe(false);
  });

  it('keeps order, sound and counts under any interleaving of push and pop', () => {
    const steps = fc.array(
      fc.record({ op: fc.constantFrom('push', 'pop'), times: fc.integer({ min: 1, max: 12 }) }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (script) => {
        const { writer, reader } = ends();
        const record = new PcmRecord();
        const held: number[] = [];
        let pushed = 0;
        let dropped = 0;
        const pop = (): void => {
          const isThere = reader.pop(record);
          expect(isThere).toBe(held.length > 0);
          const expected = held.shift();
          if (!isThere || expected === undefined) return;
          expect(record.droppedBefore).toBe(dropped);
          dropped = 0;
          expect([record.sequence, record.mediaTimeMs]).toEqual([expected, expected * 20]);
          if (record.kind === PCM_RECORD.sound) expect(record.pcm).toEqual(pcmOf(expected));
        };
        for (const { op, times } of script) {
          for (let n = 0; n < times; n += 1) {
            if (op === 'pop') {
              pop();
              continue;
            }
            if (pushed % 3 === 2) writer.note(PCM_RECORD.silence, pushed * 20, 20, pushed);
            else sound(writer, pushed * 20, pushed, pcmOf(pushed));
            held.push(pushed);
            pushed += 1;
            if (held.length <= SLOTS) continue;
            held.shift();
            dropped += 1;
          }
        }
        expect(writer.waiting).toBe(held.length);
      }),
      { numRuns: 60 },
    );
  });

  it('goes back for another reader to what is still there, and consumes nothing twice', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.nat(40),
        fc.nat(60),
        fc.nat(SLOTS - 1),
        (pushed, popped, back, spare) => {
          const shared = PcmRing.allocate(SLOTS, 7);
          const writer = new PcmRing(shared);
          const reader = new PcmRing(shared);
          const record = new PcmRecord();
          const put = (n: number): void => {
            if (n % 3 === 2) writer.note(PCM_RECORD.speechStarted, n * 20 - 60, 0, n + 8);
            else sound(writer, n * 20, n + 8, pcmOf(n));
          };
          const isFrame = (n: number): boolean => n % 3 !== 2;
          for (let n = 0; n < pushed; n += 1) {
            put(n);
            if (n < popped) reader.pop(record);
          }
          const { consumed, waiting } = writer;
          const fromMs = back * 20;
          const firstMs = new PcmRing(shared).rewind(fromMs, spare);
          const next = new PcmRing(shared);
          const taken: number[] = [];
          while (next.pop(record)) {
            taken.push(record.sequence - 8);
            expect(record.droppedBefore).toBe(0);
          }
          // All that waited, and before it what was asked for and is still there.
          const tail = pushed - Math.min(waiting, SLOTS - 1);
          let first = tail;
          const oldest = Math.max(0, pushed - (SLOTS - Math.max(1, spare)));
          const isAsked = (n: number) => !isFrame(n) || n * 20 >= fromMs;
          while (first > oldest && isAsked(first - 1)) first -= 1;
          const expected = Array.from({ length: pushed - first }, (_, n) => first + n);
          expect(taken).toEqual(expected);
          expect(firstMs).toEqual((expected.find(isFrame) ?? Number.NaN) * 20);
          const newest = taken.length === 0 ? 0 : pushed + 7;
          expect(writer.consumed).toBe(Math.max(consumed, newest));
          put(pushed);
          expect(next.pop(record)).toBe(true);
          expect(record.sequence - 8).toBe(pushed);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('refuses a size that is no power of two', () => {
    expect(() => PcmRing.allocate(3)).toThrow('power of two');
  });
});
