import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Clock } from '@earshot/async';
import { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { parseJoinUrl } from '@earshot/call';
import { GraphCalls, GraphTokens } from '@earshot/graph';
import { createLog } from '@earshot/telemetry';
import type { Sandbox, SandboxDeps } from '../src/sandbox.js';
import { startSandbox } from '../src/sandbox.js';
import { TestBot } from './test-bot.js';
import { writeTestMeeting } from './test-meeting.js';
import { trustingFetch } from './trusting-fetch.js';

export interface StageOptions {
  readonly speed?: number;
  readonly clock?: Clock;
  readonly replayWindowMs?: number;
  readonly rolesOf?: SandboxDeps['rolesOf'];
  readonly audioFiles?: readonly string[];
}

/** A sandbox, and a bot that is told of its calls. */
export interface Stage {
  readonly sandbox: Sandbox;
  /** Trusts the sandbox's certificate. */
  readonly fetch: typeof fetch;
  readonly bot: TestBot;
  readonly tokens: GraphTokens;
  /** Has bought its token lately, by the sandbox's clock. */
  readonly graph: GraphCalls;
  readonly closers: CloseStack;
  joinUrl(meetingName?: string): string;
  /** Has Graph call into a meeting; gives the call's id. The bot is told under `key`. */
  create(joinUrl: string, key: string, blob: string): Promise<string>;
  close(): Promise<void>;
}

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const closers = new CloseStack();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'earshot-sandbox-test-'));
  closers.defer(() => rm(folder, { recursive: true, force: true }));
  await writeTestMeeting(folder);
  const sandbox = await startSandbox(
    {
      listen: { host: '127.0.0.1', port: 0 },
      dataDir: folder,
      hostLink: undefined,
      speed: options.speed ?? 1,
      replayWindowMs: 30_000,
      clientId: '0b9f1c62-2b0c-4d7e-8f0f-7a8f33dd6a55',
      clientSecret: 'a client secret',
      tenantId: '72f988bf-86f1-41af-91ab-2d7cd011db47',
      audioFiles: options.audioFiles ?? [],
      meetingFolder: folder,
      logLevel: 'silent',
    },
    {
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      ...(options.replayWindowMs === undefined ? {} : { replayWindowMs: options.replayWindowMs }),
      ...(options.rolesOf === undefined ? {} : { rolesOf: options.rolesOf }),
      random: () => 0.5,
      log: createLog({ service: 'sandbox', level: 'silent' }),
    },
  );
  closers.defer(() => sandbox.close());
  return setStage(sandbox, options.clock ?? systemClock, closers);
}

async function setStage(sandbox: Sandbox, clock: Clock, closers: CloseStack): Promise<Stage> {
  const { ready } = sandbox;
  const ca = await readFile(ready.caFile, 'utf8');
  const fetchTrusting = trustingFetch(ca, globalThis.fetch);
  const bot = new TestBot(clock);
  await bot.listen();
  closers.defer(() => bot.close());
  await bot.trust(ready.callbackOpenIdUrl, ready.clientId, fetchTrusting);
  const endpoints = {
    graphBaseUrl: ready.graphBaseUrl,
    authorityBaseUrl: ready.authorityUrl,
    callbackOpenIdUrls: [ready.callbackOpenIdUrl],
    callbackIssuers: [ready.callbackIssuer],
  };
  const openTokens = (): GraphTokens => {
    const { clientId, clientSecret } = ready;
    const credential = { kind: 'secret', clientSecret } as const;
    const fetch = fetchTrusting;
    const tokens = new GraphTokens({ endpoints, clientId, credential, clock, fetch });
    closers.defer(async () => tokens.close());
    return tokens;
  };
  const openGraph = (): GraphCalls =>
    new GraphCalls({
      endpoints,
      tokens: openTokens(),
      fetch: fetchTrusting,
      timeoutMs: 5_000,
    });
  let graph = openGraph();
  return {
    sandbox,
    fetch: fetchTrusting,
    bot,
    tokens: openTokens(),
    get graph() {
      return graph;
    },
    closers,
    joinUrl: (name = 'test') =>
      sandbox.meetings().find((meeting) => meeting.name === name)?.joinUrl ?? '',
    async create(joinUrl, key, blob) {
      const parsed = parseJoinUrl(joinUrl);
      if (!parsed.ok) throw new Error(parsed.message);
      graph = openGraph();
      const call = await graph.create({
        target: parsed.target,
        callbackUri: bot.uri(key),
        media: { kind: 'appHosted', blob },
        tenantId: ready.tenantId,
        scenarioId: crypto.randomUUID(),
      });
      return call.graphCallId;
    },
    close: () => closers.close(),
  };
}
