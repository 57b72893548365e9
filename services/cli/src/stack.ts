import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { CloseStack } from '@earshot/async';
import { startRedis } from '@earshot/redis-server';
import { z } from 'zod';
import { ChildService } from './child-service.js';
import type { RunFolder } from './run-folder.js';
import { REPOSITORY } from './run-folder.js';

/** A meeting that the sandbox offers. */
export interface SandboxMeeting {
  readonly name: string;
  readonly joinUrl: string;
  /** With meeting id and passcode; the tenant is the service's default one. */
  readonly shortJoinUrl: string;
  readonly participants: readonly string[];
  readonly durationMs: number;
  /** What is said in it that can be listened for. */
  readonly phrases: readonly string[];
}

const meetingSchema: z.ZodType<SandboxMeeting> = z.object({
  name: z.string(),
  joinUrl: z.string(),
  shortJoinUrl: z.string(),
  participants: z.array(z.string()),
  durationMs: z.number(),
  phrases: z.array(z.string()),
});

const sandboxReady = z.object({
  url: z.string(),
  graphBaseUrl: z.string(),
  authorityUrl: z.string(),
  callbackOpenIdUrl: z.string(),
  callbackIssuer: z.string(),
  caFile: z.string(),
  clientId: z.string(),
  clientSecret: z.string(),
  tenantId: z.string(),
  meetings: z.array(meetingSchema),
});
const signalingReady = z.object({ url: z.string(), hostLinkUrl: z.string() });
const workerReady = z.object({ url: z.string(), workerId: z.string() });

export interface StackOptions {
  readonly folder: RunFolder;
  /** Audio files that become the participants of an extra meeting, `custom`. */
  readonly audio: readonly string[];
  /** Scenario files: what goes wrong in the sandbox. */
  readonly scenarios: readonly string[];
  /** Times real time; 1 is real time. */
  readonly speed: number;
  onProgress(text: string): void;
  onUnexpectedExit(name: string, status: string): void;
}

/** All services of one machine, running and wired to the sandbox. */
export interface Stack {
  readonly redisUrl: string;
  readonly apiKey: string;
  readonly signalingUrl: string;
  readonly workerUrl: string;
  readonly sandboxUrl: string;
  readonly meetings: readonly SandboxMeeting[];
  /** Stops everything in reverse order; nothing is left running. Idempotent. */
  close(): Promise<void>;
}

/** Starts Redis, the sandbox, signaling and a media worker; on failure stops what started. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const closers = new CloseStack();
  try {
    return await startAll(options, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function startAll(options: StackOptions, closers: CloseStack): Promise<Stack> {
  const keys = { host: randomKey(), bridge: randomKey(), api: randomKey() };
  options.onProgress('starting Redis and the sandbox (Graph and media host)');
  const [redisUrl, sandbox] = await bothStarted(
    startOrUseRedis(options, closers),
    startService(options, closers, 'sandbox', sandboxReady, {
      EARSHOT_DATA_DIR: options.folder.path,
      EARSHOT_HOST_KEY: keys.host,
      EARSHOT_SPEED: String(options.speed),
      EARSHOT_AUDIO: JSON.stringify(options.audio),
      EARSHOT_SCENARIOS: JSON.stringify(options.scenarios),
    }),
  );

  options.onProgress('starting signaling and a media worker');
  const [signaling, worker] = await bothStarted(
    startService(options, closers, 'signaling', signalingReady, {
      REDIS_URL: redisUrl,
      EARSHOT_HOST_KEY: keys.host,
      EARSHOT_BRIDGE_KEY: keys.bridge,
      EARSHOT_API_KEY: keys.api,
      GRAPH_BASE_URL: sandbox.ready.graphBaseUrl,
      GRAPH_AUTHORITY_URL: sandbox.ready.authorityUrl,
      GRAPH_CALLBACK_OPENID_URL: sandbox.ready.callbackOpenIdUrl,
      GRAPH_CALLBACK_ISSUERS: sandbox.ready.callbackIssuer,
      GRAPH_CLIENT_ID: sandbox.ready.clientId,
      GRAPH_CLIENT_SECRET: sandbox.ready.clientSecret,
      GRAPH_TENANT_ID: sandbox.ready.tenantId,
      NODE_EXTRA_CA_CERTS: sandbox.ready.caFile,
      // Webhooks to try out end on this machine.
      EARSHOT_WEBHOOK_ALLOWED_RANGES: '127.0.0.0/8,::1/128',
    }),
    startService(options, closers, 'media-worker', workerReady, {
      REDIS_URL: redisUrl,
      EARSHOT_BRIDGE_KEY: keys.bridge,
    }),
  );

  options.onProgress('connecting the media host');
  await sandbox.request(
    { type: 'connectHost', url: signaling.ready.hostLinkUrl, token: keys.host },
    'hostConnected',
  );
  return {
    redisUrl,
    apiKey: keys.api,
    signalingUrl: signaling.ready.url,
    workerUrl: worker.ready.url,
    sandboxUrl: sandbox.ready.url,
    meetings: sandbox.ready.meetings,
    close: () => closers.close(),
  };
}

async function startOrUseRedis(options: StackOptions, closers: CloseStack): Promise<string> {
  const given = process.env['REDIS_URL'];
  if (given !== undefined && given !== '') return given;
  const redis = await startRedis({
    dataDir: options.folder.redisFolder,
    persistent: true,
    onProgress: options.onProgress,
  });
  let isClosing = false;
  closers.defer(() => {
    isClosing = true;
    return redis.close();
  });
  void redis.exited.then(() => {
    if (!isClosing) options.onUnexpectedExit('Redis', 'no code of its own');
  });
  return redis.url;
}

async function startService<Ready>(
  options: StackOptions,
  closers: CloseStack,
  name: string,
  ready: z.ZodType<Ready>,
  environment: Readonly<Record<string, string>>,
): Promise<ChildService<Ready>> {
  const service = await ChildService.start({
    name,
    ready,
    entry: path.join(REPOSITORY, 'services', name, 'dist', 'main.js'),
    logFile: options.folder.logFile(name),
    environment: {
      EARSHOT_LOG_LEVEL: process.env['EARSHOT_LOG_LEVEL'] ?? 'warn',
      EARSHOT_LISTEN: '127.0.0.1:0',
      ...environment,
    },
    onUnexpectedExit: options.onUnexpectedExit,
  });
  closers.defer(() => service.stop());
  return service;
}

/** Waits for both even when one fails, so that no start-up goes on behind the clean-up. */
async function bothStarted<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

function randomKey(): string {
  return randomBytes(32).toString('base64url');
}
