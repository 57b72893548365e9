// @ts-check
// node packages/bridge-protocol/fuzz/bridge-fuzz.mjs [--runs N] [--seed N] [--target frames|control]
//   [--only INDEX]
// Runs N inputs against the frame cursor and N against the control parsers; one line of JSON a target
// on stdout. Run it after `npx tsc -b packages/bridge-protocol`.
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { readVectors } from '../check-vectors.mjs';
import { ControlTarget } from './control-target.mjs';
import { FrameTarget } from './frame-target.mjs';
import { Random } from './random.mjs';

/** Inputs between two looks at clock and memory. */
const BATCH = 20_000;
/** A batch takes some 50 ms: more than this and something follows its input too far. */
const MAX_BATCH_MS = 20_000;
const MAX_HEAP_BYTES = 512 * 1024 * 1024;
const PROGRESS_EVERY = 2_000_000;

/**
 * @typedef {object} FuzzSummary
 * @property {string} target
 * @property {number} seed
 * @property {number} runs
 * @property {number} accepted
 * @property {number} refused
 * @property {number} seconds
 * @property {number} perSecond
 * @property {number} slowestBatchMs of 20 000 inputs
 * @property {number} maxHeapMiB
 */

/** What went wrong, and all that is needed to see it again. */
export class FuzzFailure extends Error {
  /**
   * @param {string} problem
   * @param {{ target: string, seed: number, index: number, hex: string }} at
   */
  constructor(problem, { target, seed, index, hex }) {
    super(`${target}: ${problem}; seed ${seed}, index ${index}, input ${hex || '(empty)'}`);
    this.name = 'FuzzFailure';
  }
}

/**
 * Fuzzes one target.
 *
 * @param {object} options
 * @param {'frames' | 'control'} options.target
 * @param {import('../check-vectors.mjs').Codec} options.codec
 * @param {number} options.runs
 * @param {number} options.seed
 * @param {number} [options.first] index of the first input
 * @param {(runs: number) => void} [options.onProgress]
 * @returns {FuzzSummary}
 * @throws FuzzFailure
 */
export function fuzzBridge({ target: name, codec, runs, seed, first = 0, onProgress }) {
  const random = new Random();
  const vectors = readVectors();
  const target =
    name === 'frames'
      ? new FrameTarget(codec, vectors, random)
      : new ControlTarget(codec, vectors, random);
  const startMs = performance.now();
  let batchStartMs = startMs;
  let slowestBatchMs = 0;
  let maxHeapBytes = 0;
  for (let index = first; index < first + runs; index += 1) {
    random.start(seed, index);
    const problem = tryStep(target);
    if (problem !== undefined) {
      throw new FuzzFailure(problem, { target: name, seed, index, hex: target.input });
    }
    const done = index - first + 1;
    if (done % BATCH !== 0) continue;
    const nowMs = performance.now();
    slowestBatchMs = Math.max(slowestBatchMs, nowMs - batchStartMs);
    batchStartMs = nowMs;
    maxHeapBytes = Math.max(maxHeapBytes, process.memoryUsage().heapUsed);
    const slow = slowestBatchMs > MAX_BATCH_MS ? 'the last inputs took too long' : undefined;
    const greedy = maxHeapBytes > MAX_HEAP_BYTES ? 'the heap has grown too large' : undefined;
    if (slow !== undefined || greedy !== undefined) {
      const at = { target: name, seed, index, hex: target.input };
      throw new FuzzFailure(slow ?? greedy ?? '', at);
    }
    if (done % PROGRESS_EVERY === 0) onProgress?.(done);
  }
  const seconds = (performance.now() - startMs) / 1000;
  return {
    target: name,
    seed,
    runs,
    accepted: target.accepted,
    refused: target.refused,
    seconds: Math.round(seconds * 10) / 10,
    perSecond: Math.round(runs / seconds),
    slowestBatchMs: Math.round(slowestBatchMs),
    maxHeapMiB: Math.round(maxHeapBytes / 1024 / 1024),
  };
}

/** @param {FrameTarget | ControlTarget} target */
function tryStep(target) {
  try {
    return target.step();
  } catch (error) {
    return `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}

/**
 * `--runs N --seed N --target T --only INDEX`; a summary a target on stdout.
 * @param {readonly string[]} args
 */
export async function runBridgeFuzz(args) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '10000000' },
      seed: { type: 'string', default: '1' },
      target: { type: 'string' },
      only: { type: 'string' },
    },
  });
  const codec = await import(new URL('../dist/index.js', import.meta.url).href);
  const seed = naturalOf(values.seed);
  const first = values.only === undefined ? 0 : naturalOf(values.only);
  const runs = values.only === undefined ? naturalOf(values.runs) : 1;
  // A third of the control messages is no JSON, and most of its cost is the stack of the error.
  if (values.only === undefined) Error.stackTraceLimit = 0;
  for (const target of /** @type {const} */ (['frames', 'control'])) {
    if (values.target !== undefined && values.target !== target) continue;
    const summary = fuzzBridge({
      target,
      codec,
      runs,
      seed,
      first,
      onProgress: (done) => process.stderr.write(`fuzz: bridge ${target}, ${done} of ${runs}\n`),
    });
    process.stdout.write(`${JSON.stringify(summary)}\n`);
  }
}

/** @param {string} text */
function naturalOf(text) {
  const number = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(number)) {
    throw new RangeError(`Cannot fuzz: a natural number is wanted, got ${text}`);
  }
  return number;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await runBridgeFuzz(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
