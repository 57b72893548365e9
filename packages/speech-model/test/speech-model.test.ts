import { readFileSync } from 'node:fs';
import type { SpeechModel, SpeechModelStream } from '@earshot/speech-model';
import {
  createSpeechModel,
  SPEECH_MODEL_STATE_WORDS,
  SPEECH_MODEL_WINDOW_SAMPLES,
} from '@earshot/speech-model';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const golden: { probabilities: number[] } = JSON.parse(
  readFileSync(new URL('golden.json', import.meta.url), 'utf8'),
);
const pcm = Int16Array.from(
  new Int16Array(Uint8Array.from(readFileSync(new URL('golden.pcm', import.meta.url))).buffer),
);
const FRAME_SAMPLES = 320;

/** The probability after each piece that made a window full. */
function listen(
  model: SpeechModel,
  stream: SpeechModelStream,
  from: number,
  to: number,
  sizes: readonly number[] = [FRAME_SAMPLES],
): number[] {
  const said: number[] = [];
  for (let at = from, i = 0; at < to; i += 1) {
    const end = Math.min(to, at + sizes[i % sizes.length]!);
    stream.push(pcm.subarray(at, end));
    at = end;
    if (!stream.isDue) continue;
    model.run();
    said.push(stream.probability);
  }
  return said;
}

/** As the published model begins: nothing was heard before, not even silence. */
function acquireFromNothing(model: SpeechModel): SpeechModelStream {
  const stream = model.acquire();
  stream.restore(new Int32Array(SPEECH_MODEL_STATE_WORDS), 0);
  return stream;
}

test('says what onnxruntime says of the published model', () => {
  const model = createSpeechModel({ capacity: 1 });
  const stream = acquireFromNothing(model);
  const said = listen(model, stream, 0, pcm.length);
  expect(said).toHaveLength(golden.probabilities.length);
  const off = said.map((probability, i) => Math.abs(probability - golden.probabilities[i]!));
  // Numbers of 16 bits: see the README.
  expect(Math.max(...off)).toBeLessThan(5e-4);
  expect(off.reduce((sum, each) => sum + each, 0) / off.length).toBeLessThan(3e-5);
  // The recording holds both.
  expect(Math.max(...said)).toBeGreaterThan(0.99);
  expect(Math.min(...said)).toBeLessThan(0.01);
});

test('a stream begins as after a second of silence', () => {
  const model = createSpeechModel({ capacity: 2 });
  const asked = acquireFromNothing(model);
  for (let i = 0; i < 32; i += 1) asked.push(new Int16Array(SPEECH_MODEL_WINDOW_SAMPLES));
  model.run();
  expect(listen(model, model.acquire(), 0, 16_000)).toEqual(listen(model, asked, 0, 16_000));
});

test('a stream gets the same, bit by bit, in whatever company and pieces', () => {
  const whole = createSpeechModel({ capacity: 1 });
  const alone = listen(whole, whole.acquire(), 0, 16_000);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(fc.integer({ min: 1, max: SPEECH_MODEL_WINDOW_SAMPLES }), { minLength: 1 }),
      (others, sizes) => {
        const model = createSpeechModel({ capacity: others + 1 });
        const crowd = Array.from({ length: others }, () => model.acquire());
        const stream = model.acquire();
        crowd.forEach((one, i) => {
          one.push(pcm.subarray(i * 900, i * 900 + SPEECH_MODEL_WINDOW_SAMPLES));
        });
        expect(listen(model, stream, 0, 16_000, sizes)).toEqual(alone);
      },
    ),
    { numRuns: 30 },
  );
});

test('goes on from a saved state as if it had never stopped', () => {
  const model = createSpeechModel({ capacity: 3 });
  const whole = listen(model, model.acquire(), 0, 32_000);
  const first = model.acquire();
  const second = model.acquire();
  const saved = new Int32Array(3 + SPEECH_MODEL_STATE_WORDS);
  const at = 50 * FRAME_SAMPLES;
  const before = listen(model, first, 0, at);
  first.save(saved, 3);
  listen(model, second, 4000, 9000);
  second.restore(saved, 3);
  expect(second.probability).toBe(first.probability);
  expect([...before, ...listen(model, second, at, 32_000)]).toEqual(whole);
});

test('a full window that others wait for is taken by the next samples, and by save', () => {
  const model = createSpeechModel({ capacity: 1 });
  const stream = acquireFromNothing(model);
  for (let at = 0; at < 16_000; at += FRAME_SAMPLES) {
    stream.push(pcm.subarray(at, at + FRAME_SAMPLES));
  }
  stream.save(new Int32Array(SPEECH_MODEL_STATE_WORDS), 0);
  expect(stream.isDue).toBe(false);
  expect(stream.probability).toBeCloseTo(golden.probabilities[30]!, 3);
});

test.each([
  ['a count that can not be', 257, SPEECH_MODEL_WINDOW_SAMPLES],
  ['a memory that is no number', 3, 0x7fc0_0000],
  ['what the memory says that is more than 1', 127, 0x3f80_0001],
  ['what the memory keeps that is more than 2^24', 128, 0x4b80_0001],
  ['a memory out of all proportion', 255, 0xff7f_ffff | 0],
  ['a probability below 0', 256, 0x8000_0001 | 0],
])('%s resets', (_what, at, word) => {
  const model = createSpeechModel({ capacity: 1 });
  const stream = model.acquire();
  const saved = new Int32Array(SPEECH_MODEL_STATE_WORDS);
  listen(model, stream, 0, 16_000);
  stream.save(saved, 0);
  saved[at] = word;
  stream.restore(saved, 0);
  const again = listen(model, stream, 0, 16_000);
  const fresh = createSpeechModel({ capacity: 1 });
  expect(again).toEqual(listen(fresh, fresh.acquire(), 0, 16_000));
});

test('refuses one stream too many, and gives a released place out anew', () => {
  const model = createSpeechModel({ capacity: 2 });
  const first = model.acquire();
  const second = acquireFromNothing(model);
  const { probability } = first;
  expect(() => model.acquire()).toThrow(
    expect.objectContaining({ code: 'speech_model_exhausted' }),
  );
  first.push(pcm.subarray(0, SPEECH_MODEL_WINDOW_SAMPLES));
  second.push(pcm.subarray(0, SPEECH_MODEL_WINDOW_SAMPLES));
  first.release();
  expect(model.inUse).toBe(1);
  const third = model.acquire();
  model.run();
  expect(second.probability).toBeCloseTo(golden.probabilities[0]!, 3);
  expect(third.probability).toBe(probability);
});

test.each([0, 1.5, Number.NaN, 20_001])('refuses a capacity of %s', (capacity) => {
  expect(() => createSpeechModel({ capacity })).toThrow(
    `capacity must be a whole number from 1 to 20000, got ${capacity}`,
  );
});

test('refuses more samples than a window at once', () => {
  const stream = createSpeechModel({ capacity: 1 }).acquire();
  expect(() => stream.push(new Int16Array(513))).toThrow('at most 512 samples at once, got 513');
});
