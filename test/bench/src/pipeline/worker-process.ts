// The process of the worker under load: the real media worker, and a note of when findings come from
// the decode thread to the I/O thread.
import { randomBytes } from 'node:crypto';
import process from 'node:process';
import type { MediaWorker } from '@earshot/media-worker';
import { readConfig, startMediaWorker } from '@earshot/media-worker';
import type { Control } from '../control/control.js';
import { loadControl } from '../control/control.js';
import type { HeardTone, WorkerCommand, WorkerReport, WorkerWindow } from './messages.js';
import { streamOf } from './messages.js';
import { monotonicMs } from './monotonic.js';

/** Far beyond what one core can take: the bench finds the limit, not the setting. */
const MAX_STREAMS = 4000;
const SILENT_LOG = { debug() {}, info() {}, warn() {}, error() {} };

let tones: HeardTone[] = [];
let end: () => WorkerWindow = () => {
  throw new Error('A window must have begun');
};

process.on('message', (command: WorkerCommand) => void take(command));
process.on('disconnect', () => process.exit(0));

let worker: MediaWorker;
let control: Control;

async function take(command: WorkerCommand): Promise<void> {
  switch (command.kind) {
    case 'start':
      control = loadControl(command.control);
      worker = await start(command.redisUrl);
      noteTones(worker);
      tell({
        kind: 'ready',
        workerId: worker.workerId,
        url: worker.url,
        mediaUrl: worker.mediaUrl,
        engine: worker.pool.engine.name,
      });
      return;
    case 'begin':
      end = beginWindow();
      tell({ kind: 'begun' });
      return;
    case 'end':
      tell({ kind: 'window', window: end() });
      return;
  }
}

function start(redisUrl: string): Promise<MediaWorker> {
  const config = readConfig({
    REDIS_URL: redisUrl,
    EARSHOT_BRIDGE_KEY: process.env['EARSHOT_BRIDGE_KEY'],
    EARSHOT_WORKER_ID: `w_${randomBytes(6).toString('hex')}`,
    EARSHOT_DECODE_THREADS: '1',
    EARSHOT_MAX_STREAMS: String(MAX_STREAMS),
    EARSHOT_ATTRIBUTION_WAIT_MS: '0',
    EARSHOT_LOG_LEVEL: 'silent',
    EARSHOT_SPEECH_MODEL: process.env['EARSHOT_SPEECH_MODEL'],
  });
  return startMediaWorker(config, { log: SILENT_LOG });
}

/** Takes the time of each tone where the worker's own code gets it: on the I/O thread. */
function noteTones({ pool }: MediaWorker): void {
  const openStream = pool.openStream.bind(pool);
  pool.openStream = (options) => {
    const stream = streamOf(options.firstSequence);
    return openStream({
      ...options,
      onFinding: (finding) => {
        if (finding.kind === 'tone') {
          const { digit, startMs } = finding;
          tones.push({ stream, digit, startMs, heardAtMs: monotonicMs() });
        }
        options.onFinding(finding);
      },
    });
  };
}

function beginWindow(): () => WorkerWindow {
  tones = [];
  const latencies = worker.pool.latencies();
  const ioNs = control.cpuNs();
  const cpu = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return {
      tones,
      ioCpuMicros: (control.cpuNs() - ioNs) / 1000,
      processCpuMicros: user + system,
      arrivalToFoundP99Ms: worker.pool.latencies().since(latencies).quantileMs(0.99),
    };
  };
}

function tell(report: WorkerReport): void {
  process.send?.(report);
}
