import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { HostLinkClient } from '@earshot/bridge';
import type { Sandbox } from '@earshot/sandbox';
import { startSandbox } from '@earshot/sandbox';
import type { Signaling } from '@earshot/signaling';
import { readConfig, startSignaling } from '@earshot/signaling';
import { createLog } from '@earshot/telemetry';
import { startTestRedis } from '@earshot/test-kit';

const HOST_KEY = 'host-key-of-the-scenario-stack';
const API_KEY = 'api-key-of-the-scenario-stack';
const TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const silent = createLog({ service: 'test', level: 'silent' });

/** What the API answers. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A call that is over, as the API shows it. */
export interface EndedCall {
  readonly id: string;
  readonly result: {
    readonly cause: string;
    readonly reason: string;
    readonly retryClass: string;
    readonly fix?: string;
    readonly resultCode?: number;
    readonly resultSubcode?: number;
  };
}

/** Signaling with a Redis and two media hosts of its own; its Graph is a sandbox's. */
export interface Bot {
  readonly signaling: Signaling;
  /** Calls for which a host was asked, in that order: once for each attempt. */
  readonly allocated: readonly string[];
  join(joinUrl: string): Promise<ApiAnswer>;
  ask(method: string, route: string, body?: object): Promise<ApiAnswer>;
  /** Resolves once the call is over. */
  ended(callId: string): Promise<EndedCall>;
  /** Resolves once signaling knows that Graph takes no more calls for now. */
  stopped(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a sandbox that lets this process trust it. */
export async function startScenarioSandbox(closers: CloseStack): Promise<Sandbox> {
  // The sandbox's certificate is of its own making, and all is on the loopback.
  const trust = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  closers.defer(() => {
    if (trust === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = trust;
  });
  const folder = await mkdtemp(path.join(os.tmpdir(), 'earshot-scenarios-'));
  closers.defer(() => rm(folder, { recursive: true, force: true }));
  const sandbox = await startSandbox(
    {
      listen: { host: '127.0.0.1', port: 0 },
      dataDir: folder,
      hostLink: undefined,
      speed: 1,
      replayWindowMs: 1_000,
      clientId: '0b9f1c62-2b0c-4d7e-8f0f-7a8f33dd6a55',
      clientSecret: 'client-secret-of-the-scenario-stack',
      tenantId: TENANT,
      audioFiles: [],
      meetingFolder: undefined,
      logLevel: 'silent',
    },
    { log: silent },
  );
  closers.defer(() => sandbox.close());
  return sandbox;
}

/** Starts a bot of the sandbox's app. */
export async function startBot(sandbox: Sandbox): Promise<Bot> {
  const closers = new CloseStack();
  const redis = await startTestRedis();
  closers.defer(() => redis.close());
  const { ready } = sandbox;
  const signaling = await startSignaling(
    readConfig({
      REDIS_URL: redis.url,
      EARSHOT_HOST_KEY: HOST_KEY,
      EARSHOT_BRIDGE_KEY: randomBytes(32).toString('base64url'),
      EARSHOT_API_KEY: API_KEY,
      EARSHOT_LOG_LEVEL: 'silent',
      GRAPH_BASE_URL: ready.graphBaseUrl,
      GRAPH_AUTHORITY_URL: ready.authorityUrl,
      GRAPH_CALLBACK_OPENID_URL: ready.callbackOpenIdUrl,
      GRAPH_CALLBACK_ISSUERS: ready.callbackIssuer,
      GRAPH_CLIENT_ID: ready.clientId,
      GRAPH_CLIENT_SECRET: ready.clientSecret,
    }),
  );
  closers.defer(() => signaling.close());
  const allocated: string[] = [];
  for (const hostId of ['host-a', 'host-b']) {
    const link = hostLink(hostId, { sandbox, signaling, allocated });
    closers.defer(() => link.close());
    link.start();
    await link.connected;
  }
  return {
    signaling,
    allocated,
    join: (joinUrl) => ask(signaling, 'POST', '/v1/calls', { joinUrl }),
    ask: (method, route, body) => ask(signaling, method, route, body),
    ended: (callId) => endOf(signaling, callId),
    stopped: () => untilStopped(signaling),
    close: () => closers.close(),
  };
}

interface HostParts {
  readonly sandbox: Sandbox;
  readonly signaling: Signaling;
  readonly allocated: string[];
}

/** A media host whose audio is the sandbox's: so there can be several. */
function hostLink(hostId: string, { sandbox, signaling, allocated }: HostParts): HostLinkClient {
  return new HostLinkClient({
    url: signaling.hostLinkUrl,
    token: HOST_KEY,
    hostId,
    capacity: 100,
    clock: systemClock,
    random: Math.random,
    log: silent,
    handlers: {
      async allocate(callId: string) {
        allocated.push(callId);
        return sandbox.mediaHost.allocate(callId);
      },
      attach: (order) => sandbox.mediaHost.attach(order.mediaId, order),
      release: (mediaId: string) => sandbox.mediaHost.release(mediaId),
    },
  });
}

async function endOf(signaling: Signaling, callId: string): Promise<EndedCall> {
  const route = `/v1/calls/${callId}`;
  const body = await shown(signaling, route, (call) => call['result'] !== undefined);
  return body as unknown as EndedCall;
}

async function untilStopped(signaling: Signaling): Promise<void> {
  await shown(signaling, '/v1/admission', ({ paused, month }) => {
    return paused !== undefined || (month as { closedByGraph: boolean }).closedByGraph;
  });
}

/** Looks until what the API shows is as it is to be; changes nothing. */
async function shown(
  signaling: Signaling,
  route: string,
  isReached: (body: ApiAnswer['body']) => boolean,
): Promise<ApiAnswer['body']> {
  for (;;) {
    const { body } = await ask(signaling, 'GET', route);
    if (isReached(body)) return body;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function ask(
  signaling: Signaling,
  method: string,
  route: string,
  body?: object,
): Promise<ApiAnswer> {
  const response = await fetch(signaling.url + route, {
    method,
    headers: {
      authorization: `Bearer ${API_KEY}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer: ApiAnswer['body'] = text === '' ? {} : JSON.parse(text);
  return { status: response.status, headers: response.headers, body: answer };
}
