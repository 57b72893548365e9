// Process entry: reads the environment, starts the worker, ends it on a signal.
import process from 'node:process';
import { CodedError } from '@earshot/async';
import type { LogLevel } from '@earshot/telemetry';
import { createLog } from '@earshot/telemetry';
import { readConfig } from './config.js';
import type { MediaWorker } from './media-worker.js';
import { startMediaWorker } from './media-worker.js';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** Beyond the drain time, how long closing may take. */
const CLOSE_MS = 2000;

const asked = process.env['EARSHOT_LOG_LEVEL'];
const level = LEVELS.find((known) => known === asked) ?? 'info';
const log = createLog({ service: 'media-worker', level });

let worker: MediaWorker | undefined;
let leaving = false;
let drainMs = 0;

process.on('SIGTERM', leave);
process.on('SIGINT', leave);
if (process.send !== undefined) process.on('disconnect', leave);
// A parent that went while the modules loaded was not heard going.
if (process.send !== undefined && !process.connected) leave();

try {
  const config = readConfig(process.env);
  drainMs = config.drainMs;
  worker = await startMediaWorker(config, { log });
  if (leaving) await finish(worker);
  else tellParent({ type: 'ready', url: worker.url, workerId: worker.workerId });
} catch (error) {
  const code = error instanceof CodedError ? error.code : 'internal_error';
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message} [${code}]\n`);
  tellParent({ type: 'failed', code, message });
  process.exitCode = 1;
  if (process.connected) process.disconnect();
}

/** On the first signal closes in an orderly way; before the start is over, right after it. */
function leave(): void {
  if (leaving) return;
  leaving = true;
  if (worker !== undefined) void finish(worker);
}

async function finish(running: MediaWorker): Promise<void> {
  setTimeout(() => process.exit(1), drainMs + CLOSE_MS).unref();
  try {
    await running.close();
    process.exit(0);
  } catch (error) {
    log.error('closing failed', { error: String(error) });
    process.exit(1);
  }
}

function tellParent(message: object): void {
  process.send?.(message);
}
