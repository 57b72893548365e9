import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSherpaModel, createSherpaOnnx } from '../src/index.js';
import { detectModel } from '../src/sherpa-onnx/model-folder.js';
import { loadSherpa } from '../src/sherpa-onnx/sherpa-runtime.js';
import { wordsOfTokens } from '../src/sherpa-onnx/token-words.js';
import { listenFor } from './support/speech.js';

describe('kinds of models', () => {
  it('prefers int8 weights of a transducer', () => {
    const names = ['encoder-epoch-99.onnx', 'encoder-epoch-99.int8.onnx', 'decoder-epoch-99.onnx'];
    expect(detectModel([...names, 'joiner-epoch-99.onnx', 'tokens.txt', 'README.md'])).toEqual({
      kind: 'found',
      files: {
        kind: 'transducer',
        encoder: 'encoder-epoch-99.int8.onnx',
        decoder: 'decoder-epoch-99.onnx',
        joiner: 'joiner-epoch-99.onnx',
        tokens: 'tokens.txt',
      },
    });
  });

  it.each([
    [['encoder.int8.onnx', 'decoder.int8.onnx', 'tokens.txt'], 'paraformer'],
    [['model.int8.onnx', 'tokens.txt'], 'ctc'],
    [['ctc-epoch-20-avg-1.onnx', 'tokens.txt'], 'ctc'],
  ])('%j is a %s', (names, kind) => {
    expect(detectModel(names)).toMatchObject({ kind: 'found', files: { kind } });
  });

  it.each([
    [['encoder-1.onnx', 'decoder-1.onnx', 'tokens.txt'], ['joiner*.onnx']],
    [
      ['joiner-1.onnx', 'tokens.txt'],
      ['encoder*.onnx', 'decoder*.onnx'],
    ],
    [['model.onnx'], ['tokens.txt']],
  ])('%j lacks %j', (names, missing) => {
    expect(detectModel(names)).toEqual({ kind: 'incomplete', missing });
  });

  it('is complete with all of its files, and says what it lacks with any of them gone', () => {
    const names = ['encoder-1.onnx', 'decoder-1.onnx', 'joiner-1.onnx', 'tokens.txt'];
    fc.assert(
      fc.property(fc.subarray(names), (some) => {
        expect(detectModel(some).kind).toBe(some.length === names.length ? 'found' : 'incomplete');
      }),
    );
  });
});

describe('words of tokens', () => {
  it('begins words at the mark of SentencePiece', () => {
    const tokens = ['\u2581CALL', '\u2581ME', '\u2581BA', 'CK'];
    expect(wordsOfTokens(tokens, [0.2, 0.4, 0.8, 1], [-0.1, -0.2, 0, -0.2], 2000)).toEqual([
      { text: 'CALL', startMs: 200, endMs: 400, confidence: Math.exp(-0.1) },
      { text: 'ME', startMs: 400, endMs: 640, confidence: Math.exp(-0.2) },
      { text: 'BACK', startMs: 800, endMs: 1240, confidence: Math.exp(-0.1) },
    ]);
  });

  it('has times in order and in bounds, and all of the text', () => {
    const token = fc.tuple(fc.boolean(), fc.stringMatching(/^[a-z]{1,4}$/));
    fc.assert(
      fc.property(
        fc.array(fc.tuple(token, fc.double({ min: -1, max: 20, noNaN: true }))),
        (all) => {
          const tokens = all.map(([[isBegin, text]]) => (isBegin ? `\u2581${text}` : text));
          const times = all.map(([, seconds]) => seconds);
          const words = wordsOfTokens(tokens, times, [], 10_000);
          expect(words.map(({ text }) => text).join('')).toBe(
            all.map(([[, text]]) => text).join(''),
          );
          let beforeMs = 0;
          for (const { startMs, endMs } of words) {
            expect(startMs).toBeGreaterThanOrEqual(beforeMs);
            expect(endMs).toBeGreaterThanOrEqual(startMs);
            expect(endMs).toBeLessThanOrEqual(10_000);
            beforeMs = startMs;
          }
        },
      ),
    );
  });
});

describe('model folders', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'earshot-model-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('has its native module here', () => {
    expect(loadSherpa().OnlineRecognizer).toBeTypeOf('function');
  });

  it('rejects when the folder is not there, or lacks a file, which it names', async () => {
    const none = createSherpaOnnx({ modelFolder: path.join(folder, 'none') });
    await expect(none.open(listenFor().options)).rejects.toMatchObject({
      code: 'model_incomplete',
    });
    await writeFile(path.join(folder, 'encoder-1.onnx'), '');
    const some = createSherpaOnnx({ modelFolder: folder });
    await expect(some.open(listenFor().options)).rejects.toThrow(
      'its folder must hold decoder*.onnx and joiner*.onnx and tokens.txt',
    );
  });

  it('survives weights over which the native module aborts', async () => {
    const sound = path.join(folder, 'odd');
    await mkdir(sound);
    const weights = Buffer.alloc(4096, 0x08);
    for (const name of ['encoder-1', 'decoder-1', 'joiner-1']) {
      await writeFile(path.join(sound, `${name}.onnx`), weights);
    }
    await writeFile(path.join(sound, 'tokens.txt'), '<blk> 0\na 1\n');
    await expect(checkSherpaModel(sound)).rejects.toMatchObject({ code: 'model_incomplete' });
    await writeFile(path.join(sound, 'joiner-1.onnx'), 'a pointer, not weights');
    await expect(checkSherpaModel(sound)).rejects.toThrow('joiner-1.onnx must be an ONNX file');
  });
});
