import { Worker } from 'node:worker_threads';
import type { OpusEngineName } from '@earshot/opus';
import type { Corpus } from '../corpora/corpus.js';
import type { ThreadFigures, ThreadTask } from './thread-task.js';

const ENTRY = new URL('./engine-thread.js', import.meta.url);
/** Room for all that the frames measured may leave behind: a collection would hide it. */
const ROOMY_YOUNG_MB = 128;

export interface MemoryOptions {
  readonly engine: OpusEngineName;
  /** File of the C control. */
  readonly control: string;
  readonly corpus: Corpus;
}

/** Heap, garbage collection and the memory and time that a decoder takes, each in a fresh thread. */
export async function measureMemory(options: MemoryOptions): Promise<Required<ThreadFigures>> {
  const { engine, control, corpus } = options;
  const { bytes, offsets } = corpus;
  const figures: ThreadFigures[] = [];
  for (const measure of ['allocation', 'collections', 'decoders'] as const) {
    figures.push(await runThread({ measure, engine, control, bytes, offsets }));
  }
  const nothing = {
    allocBytesPerFrame: Number.NaN,
    gcEventsPer100kFrames: Number.NaN,
    kibPerDecoder: Number.NaN,
    createMicros: Number.NaN,
  };
  return Object.assign(nothing, ...figures);
}

function runThread(task: ThreadTask): Promise<ThreadFigures> {
  const resourceLimits =
    task.measure === 'allocation' ? { maxYoungGenerationSizeMb: ROOMY_YOUNG_MB } : {};
  const worker = new Worker(ENTRY, { workerData: task, resourceLimits });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`The bench thread ended with code ${code}`)));
  });
}
