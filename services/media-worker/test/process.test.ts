import { once } from 'node:events';
import { createServer } from 'node:net';
import { systemClock } from '@earshot/async/system';
import { MediaTokens } from '@earshot/media-token';
import { Registry } from '@earshot/registry';
import { startTestRedis } from '@earshot/test-kit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encode, silence } from './sound.js';
import { BRIDGE_KEY, newCallId, placeCall } from './test-bench.js';
import { TestHost } from './test-host.js';
import { WorkerProcess } from './worker-process.js';

const SILENCE = encode(silence(500));

let redis: Awaited<ReturnType<typeof startTestRedis>>;
let registry: Registry;
const started: WorkerProcess[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
  registry = new Registry({ redisUrl: redis.url, clock: systemClock });
  await registry.ready();
});

afterEach(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all(started.splice(0).map(({ exited }) => exited));
});

afterAll(async () => {
  await registry.close();
  await redis.close();
});

function start(environment: Record<string, string> = {}): WorkerProcess {
  // Ample, for what has nothing to wait for.
  const worker = new WorkerProcess(redis.url, { EARSHOT_DRAIN_MS: '50000', ...environment });
  started.push(worker);
  return worker;
}

/** A host with a call, and a stream open. */
async function linked(): Promise<TestHost> {
  const callId = newCallId();
  const { epoch, workerId, url } = await placeCall(registry, callId);
  const tokens = new MediaTokens({ key: BRIDGE_KEY, clock: systemClock });
  const token = await tokens.mint({ callId, workerId, epoch });
  const host = await new TestHost({ url, token, callId, epoch }).connect();
  host.open(1, '11');
  return host;
}

async function expectRefusal(worker: WorkerProcess, code: string): Promise<void> {
  const told = await worker.told();
  expect(told).toMatchObject({ type: 'failed', code });
  expect(await worker.exited).toBe(1);
  const lines = worker.stderr.trim().split('\n');
  expect(lines).toEqual([`media-worker: ${told.message} [${code}]`]);
}

describe('the process', () => {
  it('says when it is ready, hears a call, and leaves in order on SIGTERM', async () => {
    const worker = start({ EARSHOT_WORKER_ID: 'w_process', EARSHOT_DRAIN_MS: '500' });
    const ready = await worker.told();
    expect(ready).toMatchObject({ type: 'ready', workerId: 'w_process' });
    const readiness = async (): Promise<number> => (await fetch(`${ready.url}/readyz`)).status;
    await expect.poll(readiness, { timeout: 50_000 }).toBe(200);

    const host = await linked();
    await host.play({ 1: SILENCE });
    await host.settled();

    worker.child.kill('SIGTERM');
    await host.until(() => host.drained);
    expect(await host.closed).toEqual({ code: 4503, reason: 'draining' });
    expect(await worker.exited).toBe(0);
    expect(await registry.workers()).toEqual([]);
    expect(worker.stderr).toBe('');
  });

  it('does not wait on SIGTERM for longer than its hosts need', async () => {
    const worker = start({ EARSHOT_WORKER_ID: 'w_quick', EARSHOT_DRAIN_MS: '600000' });
    await worker.told();
    const hosts = await Promise.all(Array.from({ length: 4 }, linked));
    for (const host of hosts) await host.play({ 1: SILENCE });
    worker.child.kill('SIGTERM');
    for (const host of hosts) {
      await host.until(() => host.drained);
      await host.bye('reattach');
    }
    // Far within the drain time, or the test runs out of its own.
    expect(await worker.exited).toBe(0);
    expect(worker.stderr).toBe('');
  });

  it('says at its start which codec it decodes with', async () => {
    const worker = start({ EARSHOT_OPUS_ENGINE: 'opusscript', EARSHOT_LOG_LEVEL: 'info' });
    await worker.told();
    worker.child.kill('SIGTERM');
    await worker.exited;
    const lines = worker.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toContainEqual(
      expect.objectContaining({
        msg: 'media worker is ready',
        opusEngine: 'opusscript',
        opusVersion: expect.stringContaining('libopus'),
        speechModel: 'silero',
      }),
    );
  });

  it.each(['SIGINT', 'disconnect'])('leaves in order on %s', async (how) => {
    const worker = start();
    await worker.told();
    if (how === 'disconnect') worker.child.disconnect();
    else worker.child.kill('SIGINT');
    expect(await worker.exited).toBe(0);
  });

  it('leaves in order when told to while it starts', async () => {
    const worker = start();
    await once(worker.child, 'spawn');
    worker.child.disconnect();
    expect(await worker.exited).toBe(0);
  });

  it('refuses a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expectRefusal(start({ EARSHOT_LISTEN: `127.0.0.1:${port}` }), 'port_taken');
    other.close();
  });

  it('refuses to run without Redis', async () => {
    await expectRefusal(start({ REDIS_URL: 'redis://127.0.0.1:1' }), 'redis_unreachable');
  });

  it('refuses a configuration that is not valid', async () => {
    await expectRefusal(start({ EARSHOT_BRIDGE_KEY: 'short' }), 'invalid_config');
  });
});
