// A thread that does nothing but decode, so that its heap and its garbage collector are the
// engine's. Started by measure-memory.ts with a `ThreadTask`, answers with `ThreadFigures`.
import { PerformanceObserver, performance } from 'node:perf_hooks';
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import type { DecoderPool, OpusDecoder } from '@earshot/opus';
import { createOpusEngine } from '@earshot/opus';
import { loadControl } from '../control/control.js';
import { corpusOf } from '../corpora/corpus.js';
import { quantile } from '../quartiles.js';
import { BATCH_ENTRIES, MAX_PACKET_BYTES, runBatches } from './batch-run.js';
import type { ThreadFigures, ThreadTask } from './thread-task.js';

const WARM_UP_FRAMES = 20_000;
const ALLOCATION_FRAMES = 20_000;
/** The middle one counts: the runtime allocates for itself now and then. */
const ALLOCATION_WINDOWS = 5;
const COLLECTION_FRAMES = 100_000;
/** The first ones bring what all share, such as code and buffers. */
const FIRST_DECODERS = 100;
const DECODERS = 500;
const FRAMES_PER_DECODER = 5;

const task: ThreadTask = workerData;
v8.setFlagsFromString('--expose-gc');
const collectGarbage: () => void = vm.runInNewContext('gc');

const engine = await createOpusEngine({ engine: task.engine });
const { packets } = corpusOf(task.bytes, task.offsets);
parentPort?.postMessage(await measure());

async function measure(): Promise<ThreadFigures> {
  switch (task.measure) {
    case 'allocation':
      return { allocBytesPerFrame: measureAllocation() };
    case 'collections':
      return { gcEventsPer100kFrames: await countCollections() };
    case 'decoders':
      return measureDecoders();
  }
}

function measureAllocation(): number {
  const pool = createPool(1);
  const decoder = pool.acquire();
  decodeFrames(pool, decoder, WARM_UP_FRAMES);
  const grow = (atLeast: number): { bytes: number; frames: number } => {
    collectGarbage();
    const before = usedBytes();
    const frames = decodeFrames(pool, decoder, atLeast);
    return { bytes: usedBytes() - before, frames };
  };
  const windows = Array.from({ length: ALLOCATION_WINDOWS }, () => {
    // What does not depend on the number of frames is not the frames'.
    const short = grow(ALLOCATION_FRAMES);
    const long = grow(3 * ALLOCATION_FRAMES);
    return Math.max(0, (long.bytes - short.bytes) / (long.frames - short.frames));
  });
  return quantile(windows, 0.5);
}

async function countCollections(): Promise<number> {
  const pool = createPool(1);
  const decoder = pool.acquire();
  const startsMs: number[] = [];
  const observer = new PerformanceObserver((list) => {
    startsMs.push(...list.getEntries().map(({ startTime }) => startTime));
  });
  observer.observe({ entryTypes: ['gc'] });
  decodeFrames(pool, decoder, WARM_UP_FRAMES);
  collectGarbage();
  const beginMs = performance.now();
  const frames = decodeFrames(pool, decoder, COLLECTION_FRAMES);
  const endMs = performance.now();
  // Entries are delivered by later turns of the event loop.
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
  observer.disconnect();
  const events = startsMs.filter((ms) => ms >= beginMs && ms < endMs).length;
  return (events * 100_000) / frames;
}

function measureDecoders(): ThreadFigures {
  const { cpuNs } = loadControl(task.control);
  const pool = createPool(FIRST_DECODERS + DECODERS);
  const decoders = Array.from({ length: FIRST_DECODERS }, () => pool.acquire());
  for (const decoder of decoders) use(pool, decoder);
  collectGarbage();
  const beforeBytes = process.memoryUsage.rss();
  const startNs = cpuNs();
  for (let i = 0; i < DECODERS; i += 1) decoders.push(pool.acquire());
  const createNs = cpuNs() - startNs;
  for (const decoder of decoders) use(pool, decoder);
  collectGarbage();
  const bytes = process.memoryUsage.rss() - beforeBytes;
  return { kibPerDecoder: bytes / 1024 / DECODERS, createMicros: createNs / 1000 / DECODERS };
}

/** So that all of its memory is touched. */
function use(pool: DecoderPool, decoder: OpusDecoder): void {
  runBatches(pool, decoder, packets.slice(0, FRAMES_PER_DECODER));
}

function createPool(capacity: number): DecoderPool {
  return engine.createDecoderPool({
    sampleRateHz: 16_000,
    channels: 1,
    capacity,
    batch: { entries: BATCH_ENTRIES, maxPacketBytes: MAX_PACKET_BYTES, maxSamples: 320 },
  });
}

/** At least so many; returns how many. */
function decodeFrames(pool: DecoderPool, decoder: OpusDecoder, atLeast: number): number {
  let frames = 0;
  for (; frames < atLeast; frames += packets.length) runBatches(pool, decoder, packets);
  return frames;
}

function usedBytes(): number {
  const { used_heap_size: heap, external_memory: external } = v8.getHeapStatistics();
  return heap + external;
}
