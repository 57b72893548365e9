import { randomBytes } from 'node:crypto';
import { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { MediaWorkerConfig } from '@earshot/media-worker';
import { readConfig, startMediaWorker } from '@earshot/media-worker';
import { startTestRedis } from '@earshot/test-kit';
import type { WorkerSuiteOptions } from '../src/index.js';
import { registryCalls } from './registry-calls.js';

const KEY = new Uint8Array(32).fill(7);

/** Our own media worker with a real Redis and a second worker beside it, and what the suite needs to check it. */
export async function startWorkerBench(
  more: Partial<MediaWorkerConfig> = {},
): Promise<{ options: WorkerSuiteOptions; close(): Promise<void> }> {
  const closers = new CloseStack();
  const redis = await startTestRedis();
  closers.defer(() => redis.close());
  const start = async (): Promise<{ workerId: string; url: string }> => {
    const workerId = `w_${randomBytes(6).toString('hex')}`;
    const config = readConfig({
      REDIS_URL: redis.url,
      EARSHOT_WORKER_ID: workerId,
      EARSHOT_BRIDGE_KEY: Buffer.from(KEY).toString('base64url'),
      EARSHOT_LOG_LEVEL: 'silent',
      EARSHOT_DECODE_THREADS: '1',
      EARSHOT_DRAIN_MS: '0',
      EARSHOT_ATTRIBUTION_WAIT_MS: '0',
    });
    const worker = await startMediaWorker({ ...config, ...more });
    closers.defer(() => worker.close());
    return { workerId, url: worker.mediaUrl };
  };
  const { workerId, url } = await start();
  const second = await start();
  const tokenKey = { key: KEY, workerId };
  const calls = await registryCalls(redis.url, { tokenKey, second }, closers);
  return {
    options: { url, calls, tokenKey, clock: systemClock },
    close: () => closers.close(),
  };
}
