import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../progress.js';
import { quantile } from '../quartiles.js';
import { coreBusyMs } from './cores.js';
import { monotonicMs } from './monotonic.js';
import type { ToneLags } from './tone-lags.js';
import { toneLatenciesMs } from './tone-latencies.js';
import type { WorkerUnderLoad } from './worker-under-load.js';

/** What one number of streams gave. */
export interface LoadStep {
  readonly streams: number;
  readonly held: boolean;
  /** From a frame's send to its finding on the I/O thread, over the tones of the step. */
  readonly p99FrameToFindingMs: number;
  readonly p50FrameToFindingMs: number;
  readonly tones: number;
  /** Of all frames, from the I/O thread to what was found being out. */
  readonly arrivalToFoundP99Ms: number;
  readonly dropped: number;
  /** CPU time a frame, µs. */
  readonly ioMicros: number;
  readonly processMicros: number;
  /** Share of the worker's core that went to the worker, and to others. */
  readonly ownShare: number;
  readonly othersShare: number;
}

export interface FindLimitOptions {
  readonly worker: WorkerUnderLoad;
  readonly workerCore: number;
  readonly lags: ToneLags;
}

const FIRST_STEPS = [100, 200, 400, 500, 550, 600];
const STEP_STREAMS = 50;
const MAX_STREAMS = 3000;
const MAX_P99_MS = 20;

const SETTLE_MS = 2000;
const WINDOW_MS = 8000;
/** When others took more than this of the core, a step that failed is tried again. */
const DISTURBED_SHARE = 0.02;
const MAX_TRIES = 3;

/** Raises the number of streams until the worker is late or drops frames. */
export async function findLimit(options: FindLimitOptions): Promise<LoadStep[]> {
  const steps: LoadStep[] = [];
  for (const streams of stepSizes()) {
    await options.worker.raiseTo(streams);
    await sleep(SETTLE_MS);
    const step = await tryStep(options);
    steps.push(step);
    if (!step.held) break;
  }
  return steps;
}

function* stepSizes(): Iterable<number> {
  yield* FIRST_STEPS;
  const last = FIRST_STEPS.at(-1) ?? 0;
  for (let n = last + STEP_STREAMS; n <= MAX_STREAMS; n += STEP_STREAMS) yield n;
}

async function tryStep(options: FindLimitOptions): Promise<LoadStep> {
  let step = await measureStep(options);
  for (let tries = 1; tries < MAX_TRIES; tries += 1) {
    if (step.held || step.othersShare < DISTURBED_SHARE) return step;
    say('others were on the core: once more');
    await sleep(SETTLE_MS);
    step = await measureStep(options);
  }
  return step;
}

async function measureStep({ worker, workerCore, lags }: FindLimitOptions): Promise<LoadStep> {
  const totalsBefore = await worker.totals();
  await worker.begin();
  const startMs = monotonicMs();
  const busyBeforeMs = coreBusyMs(workerCore);
  await sleep(WINDOW_MS);
  const window = await worker.end();
  const elapsedMs = monotonicMs() - startMs;
  const busyMs = coreBusyMs(workerCore) - busyBeforeMs;
  const totals = await worker.totals();
  const links = await worker.sent();
  const latencies = toneLatenciesMs(window.tones, links, lags);
  const frames = totals.framesReceived - totalsBefore.framesReceived;
  const dropped = totals.framesDropped - totalsBefore.framesDropped;
  const refused = links.reduce((sum, link) => sum + link.refused, 0);
  const p99FrameToFindingMs = quantile(latencies, 0.99);
  const ownMs = window.processCpuMicros / 1000;
  const step: LoadStep = {
    streams: worker.streams,
    held: dropped === 0 && refused === 0 && p99FrameToFindingMs <= MAX_P99_MS,
    p99FrameToFindingMs,
    p50FrameToFindingMs: quantile(latencies, 0.5),
    tones: latencies.length,
    arrivalToFoundP99Ms: window.arrivalToFoundP99Ms,
    dropped,
    ioMicros: window.ioCpuMicros / frames,
    processMicros: window.processCpuMicros / frames,
    ownShare: ownMs / elapsedMs,
    othersShare: Math.max(0, busyMs - ownMs) / elapsedMs,
  };
  say(describe(step));
  return step;
}

function describe(step: LoadStep): string {
  const p99 = `p99 ${step.p99FrameToFindingMs.toFixed(1)} ms of ${step.tones} tones`;
  const own = `core ${percent(step.ownShare)} own, ${percent(step.othersShare)} others`;
  const outcome = step.held ? 'held' : 'not held';
  return `pipeline: ${step.streams} streams ${outcome}: ${p99}, ${step.dropped} dropped, ${own}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
