import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recognizerConformance } from '../src/conformance/index.js';
import { createSherpaOnnx } from '../src/index.js';
import { finals, listenFor } from './support/speech.js';
import { noiseOf, writeToyModel, writeToyNemoModel } from './support/toy-model.js';

let modelFolder: string;
beforeAll(async () => {
  modelFolder = await mkdtemp(path.join(tmpdir(), 'earshot-toy-'));
  await writeToyModel(modelFolder);
});
afterAll(() => rm(modelFolder, { recursive: true }));

it.each(
  recognizerConformance({
    create: () => createSherpaOnnx({ modelFolder }),
    task: { kind: 'dictation', partials: true },
    language: 'en-US',
    utterances: [noiseOf('silence', 'quiet', 'silence'), noiseOf('loud', 'silence', 'quiet')],
  }),
)('$name', ({ run }) => run());

it('has words of pieces, at the times when they were heard, with partials before', async () => {
  const recognizer = createSherpaOnnx({ modelFolder });
  const heard = listenFor();
  const session = await recognizer.open(heard.options);
  session.push(noiseOf('silence', 'quiet'));
  session.push(noiseOf('silence', 'loud'));
  await session.endUtterance();
  expect(heard.results.map(({ kind, text }) => [kind, text])).toEqual([
    ['partial', 'QUIET'],
    ['partial', 'QUIET LOUD'],
    ['final', 'QUIET LOUD'],
  ]);
  const [quiet, loud] = heard.results.at(-1)?.words ?? [];
  // A chunk of the model is 40 ms.
  expect(Math.abs((quiet?.startMs ?? 0) - 10_500)).toBeLessThanOrEqual(40);
  expect(Math.abs((loud?.startMs ?? 0) - 11_500)).toBeLessThanOrEqual(40);
  expect(quiet?.confidence).toBeGreaterThan(0.5);
  await recognizer.close();
});

it("has times of words with NeMo's models, whose frames are longer than the runtime takes them to be", async () => {
  const folder = path.join(modelFolder, 'streaming-nemo-ctc');
  await mkdir(folder);
  await writeToyNemoModel(folder);
  const recognizer = createSherpaOnnx({ modelFolder: folder });
  const heard = listenFor();
  const session = await recognizer.open(heard.options);
  session.push(noiseOf('silence', 'quiet', 'silence', 'loud'));
  await session.endUtterance();
  const final = heard.results.at(-1);
  expect(final).toMatchObject({ kind: 'final', text: 'QUIET LOUD' });
  for (const [index, startMs] of [10_500, 11_500].entries()) {
    expect(Math.abs((final?.words[index]?.startMs ?? 0) - startMs)).toBeLessThanOrEqual(80);
  }
  await recognizer.close();
});

it('opens nothing that was closed while its model was loaded', async () => {
  const recognizer = createSherpaOnnx({ modelFolder });
  const heard = listenFor();
  const opening = recognizer.open(heard.options);
  await recognizer.close();
  await expect(opening).rejects.toMatchObject({ code: 'recognizer_unavailable' });
  expect(finals(heard)).toEqual([]);
});
