import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { EarshotEvent } from '@earshot/events';
import { EventConsumer } from '@earshot/events';
import type { MediaWorker } from '@earshot/media-worker';
import { NO_ENGINES, startMediaWorker } from '@earshot/media-worker';
import type { Sandbox } from '@earshot/sandbox';
import { startSandbox } from '@earshot/sandbox';
import type { Signaling } from '@earshot/signaling';
import { readConfig, startSignaling } from '@earshot/signaling';
import type { Log, Tracer } from '@earshot/telemetry';
import { createLog, NO_TRACER } from '@earshot/telemetry';
import type { TestRedis } from '@earshot/test-kit';
import { startTestRedis } from '@earshot/test-kit';

export const HOST_KEY = 'host-key-of-the-whole-stack';
export const API_KEY = 'api-key-of-the-whole-stack';
export const CLIENT_SECRET = 'client-secret-of-the-whole-stack';
const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const CLIENT = '0b9f1c62-2b0c-4d7e-8f0f-7a8f33dd6a55';
const SPEED = 8;

/** All services with a Redis of their own, in this process, and all that they log. */
export interface WholeStack {
  readonly redis: TestRedis;
  readonly sandbox: Sandbox;
  readonly worker: MediaWorker;
  readonly signaling: Signaling;
  readonly bridgeKey: string;
  readonly events: EarshotEvent[];
  /** One line of JSON each. */
  readonly lines: string[];
  /** Starts a call into a meeting; gives its id. */
  call(body: object, headers?: Readonly<Record<string, string>>): Promise<string>;
  /** Resolves with the call's events once it has ended. */
  ended(callId: string): Promise<EarshotEvent[]>;
  close(): Promise<void>;
}

export interface WholeStackOptions {
  /** By service. */
  tracer?(service: string): Promise<Tracer>;
  /** Signaling's own, beside what it needs. */
  readonly environment?: Readonly<Record<string, string>>;
}

export async function startWholeStack({
  tracer = () => Promise.resolve(NO_TRACER),
  environment = {},
}: WholeStackOptions = {}): Promise<WholeStack> {
  const closers = new CloseStack();
  // The sandbox's certificate is of its own making, and all is on the loopback.
  const trust = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  closers.defer(() => {
    if (trust === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = trust;
  });
  const lines: string[] = [];
  const logOf = (service: string): Log =>
    createLog({ service, level: 'debug', destination: { write: (line) => void lines.push(line) } });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'earshot-stack-'));
  closers.defer(() => rm(folder, { recursive: true, force: true }));
  // A test kills it: what it has answered is on disk, however slow that is.
  const redis = await startTestRedis({ persistent: 'always' });
  closers.defer(() => redis.close());
  const bridgeKey = randomBytes(32).toString('base64url');
  const listen = { host: '127.0.0.1', port: 0 };
  const sandbox = await startSandbox(
    {
      listen,
      dataDir: folder,
      hostLink: undefined,
      speed: SPEED,
      replayWindowMs: 30_000,
      clientId: CLIENT,
      clientSecret: CLIENT_SECRET,
      tenantId: TENANT,
      audioFiles: [],
      meetingFolder: undefined,
      logLevel: 'debug',
    },
    { log: logOf('sandbox') },
  );
  closers.defer(() => sandbox.close());
  const worker = await startMediaWorker(
    {
      redisUrl: redis.url,
      listen,
      workerId: 'w_whole',
      advertisedUrl: undefined,
      bridgeKey: new Uint8Array(Buffer.from(bridgeKey, 'base64url')),
      maxPendingPerAddress: 64,
      logLevel: 'debug',
      decodeThreads: 1,
      recognizerThreads: 1,
      recognizerBacklogMs: 10_000,
      recognizerSessions: 32,
      engines: NO_ENGINES,
      opusEngine: 'wasm',
      speechModel: 'silero',
      maxStreams: 100,
      ringFrames: 128,
      linkGraceMs: 30_000,
      drainMs: 1000,
      attributionWaitMs: 2000,
      deafAfterMs: 0,
      healthLimits: new Map(),
      healthClearMs: 5000,
      memoryLimitBytes: 2 ** 40,
    },
    { log: logOf('media-worker'), tracer: await tracer('media-worker') },
  );
  closers.defer(() => worker.close());
  const { ready } = sandbox;
  const signaling = await startSignaling(
    readConfig({
      REDIS_URL: redis.url,
      EARSHOT_HOST_KEY: HOST_KEY,
      EARSHOT_BRIDGE_KEY: bridgeKey,
      EARSHOT_API_KEY: API_KEY,
      GRAPH_BASE_URL: ready.graphBaseUrl,
      GRAPH_AUTHORITY_URL: ready.authorityUrl,
      GRAPH_CALLBACK_OPENID_URL: ready.callbackOpenIdUrl,
      GRAPH_CALLBACK_ISSUERS: ready.callbackIssuer,
      GRAPH_CLIENT_ID: CLIENT,
      GRAPH_CLIENT_SECRET: CLIENT_SECRET,
      ...environment,
    }),
    { log: logOf('signaling'), tracer: await tracer('signaling') },
  );
  closers.defer(() => signaling.close());
  await sandbox.connectHost(signaling.hostLinkUrl, HOST_KEY);

  const events: EarshotEvent[] = [];
  const watchers = new Set<() => void>();
  const consumer = new EventConsumer({
    redisUrl: redis.url,
    clock: systemClock,
    handler: (event) => {
      events.push(event);
      for (const watch of [...watchers]) watch();
    },
  });
  closers.defer(() => consumer.close());
  await consumer.start();
  const of = (callId: string): EarshotEvent[] => events.filter((event) => event.callId === callId);
  return {
    redis,
    sandbox,
    worker,
    signaling,
    bridgeKey,
    events,
    lines,
    async call(body, headers = {}) {
      const response = await fetch(`${signaling.url}/v1/calls`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${API_KEY}`,
          'content-type': 'application/json',
          ...headers,
        },
        body: JSON.stringify(body),
      });
      const answer: { id: string } = JSON.parse(await response.text());
      return answer.id;
    },
    async ended(callId) {
      const isOver = (): boolean => {
        const types = new Set(of(callId).map(({ type }) => type));
        return types.has('call.ended') && types.has('media.stopped');
      };
      await new Promise<void>((resolve) => {
        const watch = (): void => {
          if (!isOver()) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        watch();
      });
      return of(callId);
    },
    close: () => closers.close(),
  };
}
