import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseStreamCheckpoint } from '../src/index.js';
import { SHARED_CHECKPOINT_BYTES, SharedCheckpoint } from '../src/shared-checkpoint.js';
import { CHECKPOINT_NUMBERS } from '../src/stream-checkpoint.js';
import { join, Listener, room, toFrames, voice } from './signals.js';

const SOUND = toFrames(join(room(400), voice(700)));
const CHECKPOINT = new Listener().hear(...SOUND).counters.checkpoint()?.checkpoint;
if (CHECKPOINT === undefined) throw new Error('there must be a checkpoint after 55 frames');

describe('a stored checkpoint', () => {
  it('comes back from JSON as it was', () => {
    expect(parseStreamCheckpoint(JSON.parse(JSON.stringify(CHECKPOINT)))).toEqual(CHECKPOINT);
    expect(CHECKPOINT).toMatchObject({ version: 2, position: 55, endMs: 1100 });
    // Numbers of one stream, once a second: a worker has hundreds.
    expect(JSON.stringify(CHECKPOINT).length).toBeLessThan(1500);
  });

  it.each([
    ['another version', { ...CHECKPOINT, version: 1 }],
    ['a position beyond 32 bits', { ...CHECKPOINT, position: 2 ** 32 }],
    ['a position below 0', { ...CHECKPOINT, position: -1 }],
    ['a position between two', { ...CHECKPOINT, position: 0.5 }],
    ['a time that is no number', { ...CHECKPOINT, endMs: '5' }],
    ['a time that no double counts on from', { ...CHECKPOINT, endMs: 1e300 }],
    ['a time that no media clock shows', { ...CHECKPOINT, endMs: 2 ** 51 }],
    ['one beyond all media time', { ...CHECKPOINT, state: CHECKPOINT.state.map(() => -(2 ** 51)) }],
    ['too few numbers', { ...CHECKPOINT, state: CHECKPOINT.state.slice(1) }],
    ['too many', { ...CHECKPOINT, state: [...CHECKPOINT.state, 0] }],
    ['none', { version: 2, position: 1, endMs: 1, model: '' }],
    ['a model that is no text', { ...CHECKPOINT, model: 1 }],
    ['a model of no whole words', { ...CHECKPOINT, model: 'AAAA' }],
    ['a model of other letters', { ...CHECKPOINT, model: 'AAAA-A' }],
    ['a model of too many words', { ...CHECKPOINT, model: 'AAAAAA'.repeat(600) }],
    ['one that is a text', { ...CHECKPOINT, state: CHECKPOINT.state.map(String) }],
    ['one that is infinite', { ...CHECKPOINT, state: CHECKPOINT.state.map(() => Infinity) }],
  ])('is refused with %s', (_, value) => {
    expect(parseStreamCheckpoint(value)).toBeUndefined();
  });

  it('is refused, and never thrown at, when it is anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.jsonValue()), (value) => {
        expect(parseStreamCheckpoint(value)).toBeUndefined();
      }),
    );
  });
});

describe('a checkpoint between two threads', () => {
  it('is read whole, however often it is written meanwhile', async () => {
    const memory = new SharedArrayBuffer(SHARED_CHECKPOINT_BYTES);
    const stop = new SharedArrayBuffer(4);
    const worker = new Worker(new URL('./shared-checkpoint-writer.mjs', import.meta.url), {
      workerData: { shared: memory, stop },
    });
    await once(worker, 'message');
    const reader = new SharedCheckpoint(memory, 0);
    const numbers = new Float64Array(CHECKPOINT_NUMBERS);
    let newest = 0;
    let read = 0;
    for (let tries = 1; read < 5000; tries += 1) {
      // A writer that has no core to run on may be in the middle of one.
      if (tries % 10_000 === 0) await sleep(1);
      if (!reader.read(numbers)) continue;
      read += 1;
      const first = numbers[0]!;
      expect(first).toBeGreaterThanOrEqual(newest);
      if (!numbers.every((value) => value === first)) throw new Error('a checkpoint was torn');
      newest = first;
    }
    Atomics.store(new Int32Array(stop), 0, 1);
    const [written] = await once(worker, 'message');
    expect(newest).toBeGreaterThan(1);
    expect(reader.read(numbers)).toBe(true);
    expect(numbers[0]).toBe(written);
    await worker.terminate();
  });

  it('is not there before one was written', () => {
    const reader = new SharedCheckpoint(new SharedArrayBuffer(SHARED_CHECKPOINT_BYTES), 0);
    expect(reader.read(new Float64Array(CHECKPOINT_NUMBERS))).toBe(false);
  });
});
