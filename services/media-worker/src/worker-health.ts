import type { HealthCheckOptions, ServiceCheckParts } from '@earshot/telemetry';
import { serviceChecks } from '@earshot/telemetry';
import type { CallTable } from './call-table.js';
import type { DecodePool } from './decode-pool.js';
import { LagWindow } from './lag-window.js';
import type { RecognizerUse } from './recognition/recognizer-use.js';

export interface WorkerHealthParts extends ServiceCheckParts {
  readonly calls: Pick<CallTable, 'draining' | 'size' | 'deaf'>;
  readonly pool: Pick<DecodePool, 'latencies' | 'oldestFrameMs' | 'stillMs'>;
  readonly recognizers: Pick<RecognizerUse, 'share'>;
}

/** Below so many deaf calls it is the calls, not the worker. */
const MIN_DEAF_CALLS = 3;

/** While one of these fails the worker can't keep up: it is given no more calls. */
export const PIPELINE_CHECKS: readonly string[] = [
  'decode_thread_still_seconds',
  'frame_age_seconds',
  'frame_to_finding_p99_seconds',
];

/** What `/livez` and `/readyz` look at. */
export function workerHealthChecks(parts: WorkerHealthParts): HealthCheckOptions[] {
  return [
    ...pipelineChecks(parts),
    ...serviceChecks(parts),
    ...callChecks(parts),
    recognizerCheck(parts),
  ];
}

/** The names, for those who set limits before there is a worker. */
export const WORKER_HEALTH_CHECKS: readonly string[] = workerHealthChecks({
  calls: { draining: false, size: 0, deaf: 0 },
  pool: {
    latencies: () => {
      throw new Error('Cannot read latencies: these checks are only for their names');
    },
    oldestFrameMs: () => 0,
    stillMs: () => 0,
  },
  recognizers: { share: 0 },
  publisher: { outbox: { waiting: 0, capacity: 1, oldestMs: 0 } },
  redis: { awaySeconds: 0 },
  eventLoop: { p99Seconds: 0 },
}).map(({ name }) => name);

function pipelineChecks({ pool }: WorkerHealthParts): HealthCheckOptions[] {
  const lag = new LagWindow(() => pool.latencies());
  return [
    {
      name: 'decode_thread_stuck_seconds',
      help: 'How long a decode thread has neither worked nor been replaced with success.',
      effect: 'dead',
      limit: 60,
      read: () => pool.stillMs() / 1000,
    },
    {
      name: 'decode_thread_still_seconds',
      help: 'How long a decode thread has not worked: it hangs, or is being replaced.',
      effect: 'unready',
      limit: 3,
      read: () => pool.stillMs() / 1000,
    },
    {
      name: 'frame_age_seconds',
      help: 'Age of the oldest frame that waits for a decode thread.',
      effect: 'unready',
      limit: 1,
      read: () => pool.oldestFrameMs() / 1000,
    },
    {
      name: 'frame_to_finding_p99_seconds',
      help: 'What 99 of 100 frames of the last 10 s took at most, from arrival to finding.',
      effect: 'unready',
      limit: 0.5,
      failAfterMs: 3000,
      read: () => lag.p99Seconds(),
    },
  ];
}

function callChecks({ calls }: WorkerHealthParts): HealthCheckOptions[] {
  return [
    {
      name: 'calls_deaf_ratio',
      help: `Share of the calls of which nothing is heard though somebody could speak; 0 below ${MIN_DEAF_CALLS} deaf ones.`,
      effect: 'unready',
      limit: 0.5,
      read: () => (calls.deaf < MIN_DEAF_CALLS ? 0 : calls.deaf / calls.size),
    },
    {
      name: 'draining',
      help: '1 while the worker leaves.',
      effect: 'unready',
      limit: 0,
      clearAfterMs: 0,
      read: () => (calls.draining ? 1 : 0),
    },
  ];
}

/** Calls go on, and some of what is said is skipped. */
function recognizerCheck({ recognizers }: WorkerHealthParts): HealthCheckOptions {
  return {
    name: 'recognizers_busy_ratio',
    help: 'Share of what recognizer threads can do that is in use: at 1 utterances are skipped.',
    effect: 'degraded',
    limit: 0.9,
    read: () => recognizers.share,
  };
}
