import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { createOpusEngine } from '@earshot/opus';
import type { PipelineResult } from '../bench-result.js';
import { loadControl } from '../control/control.js';
import { say } from '../progress.js';
import { canPin, coreBusyMs, ownCores, pinSelf } from './cores.js';
import type { LoadStep } from './find-limit.js';
import { findLimit } from './find-limit.js';
import { measureFrameCost } from './frame-cost.js';
import type { Scaling } from './measure-scaling.js';
import { measureScaling } from './measure-scaling.js';
import { measureToneLags } from './tone-lags.js';
import { makeTrack } from './track.js';
import { WorkerUnderLoad } from './worker-under-load.js';

const WORKER_CORE = 0;
const LOAD_CORE = 1;
const LOOK_MS = 500;
const BUSY_SHARE = 0.2;

/** The whole worker: how many streams a core takes, what a frame costs, what a second thread brings. */
export interface PipelineFigures {
  readonly steps: readonly LoadStep[];
  readonly scaling: Scaling | null;
  readonly result: PipelineResult;
}

/** @param control file of the C control */
export async function measurePipeline(control: string): Promise<PipelineFigures> {
  const engine = await createOpusEngine();
  const track = await makeTrack(engine);
  say('pipeline: cost of a frame');
  const cost = measureFrameCost(engine, loadControl(control), track);
  const scaling = await scalingOf(track);
  const steps = await loadSteps(control, track, measureToneLags(engine, track));
  const best = steps.findLast((step) => step.held);
  const { decode, analysis } = cost;
  return {
    steps,
    scaling,
    result: {
      streamsPerCore: best?.streams ?? 0,
      p99FrameToFindingMs: best?.p99FrameToFindingMs ?? Number.NaN,
      cpuMicrosPerFrame: { io: best?.ioMicros ?? Number.NaN, decode, analysis },
      scaling: scaling?.byClock ?? null,
    },
  };
}

async function loadSteps(
  control: string,
  track: readonly Uint8Array[],
  lags: ReadonlyMap<string, number>,
): Promise<LoadStep[]> {
  const isPinned = canPin();
  if (!isPinned) say('pipeline: two cores and taskset are needed to pin; the figures mean little');
  const coresBefore = isPinned ? ownCores() : '';
  // Redis is this process's child: it goes where the load is.
  if (isPinned) pinSelf(String(LOAD_CORE));
  const worker = await WorkerUnderLoad.start({
    control,
    track,
    workerCore: isPinned ? WORKER_CORE : undefined,
    loadCore: isPinned ? LOAD_CORE : undefined,
  });
  try {
    return await findLimit({ worker, workerCore: WORKER_CORE, lags });
  } finally {
    await worker.close();
    if (isPinned) pinSelf(coresBefore);
  }
}

async function scalingOf(track: readonly Uint8Array[]): Promise<Scaling | null> {
  const cores = os.availableParallelism();
  if (cores < 2) {
    say('pipeline: one core only, so nothing to say of a second decode thread');
    return null;
  }
  const before = busyMs(cores);
  await sleep(LOOK_MS);
  const busyShare = (busyMs(cores) - before) / LOOK_MS;
  if (busyShare > cores - 2 + BUSY_SHARE) {
    say(
      `pipeline: no two free cores (${busyShare.toFixed(1)} of ${cores} busy): scaling is too low`,
    );
  }
  say('pipeline: a second decode thread');
  return await measureScaling(track);
}

function busyMs(cores: number): number {
  return Array.from({ length: cores }, (_, core) => coreBusyMs(core)).reduce((a, b) => a + b, 0);
}
