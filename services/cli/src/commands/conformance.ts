import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { CodedError } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { CallSource, RuleResult, SecondWorker, TokenKey } from '@earshot/bridge-conformance';
import {
  checkHost,
  checkWorker,
  fixedCall,
  HOST_RULES,
  keyedCalls,
  resultText,
  sectionOf,
  tallyOf,
  tallyText,
  WORKER_RULES,
} from '@earshot/bridge-conformance';
import { Registry } from '@earshot/registry';
import { z } from 'zod';

/** What both suites are told. */
export interface ConformanceOptions {
  /** Print the results as one JSON object instead of the list. */
  readonly json?: boolean;
  /** Print the checks and end. */
  readonly list?: boolean;
  /** Ids of checks or of rules of the specification. */
  readonly rule: readonly string[];
  /** How long most checks may take, s. */
  readonly limit?: number;
}

export interface WorkerConformanceOptions extends ConformanceOptions {
  readonly url?: string;
  /** Base64url of the key that the worker checks tokens with. */
  readonly tokenKey?: string;
  /** The audience of its tokens. */
  readonly workerId?: string;
  /** One ready token. */
  readonly token?: string;
  /** Redis of an Earshot deployment: calls are placed as signaling places them. */
  readonly redis?: string;
  /** A second worker, for calls that move. */
  readonly secondUrl?: string;
  readonly secondWorkerId?: string;
  /** How many connections the worker lets wait for their welcome. */
  readonly pendingLimit?: number;
}

export interface HostConformanceOptions extends ConformanceOptions {
  readonly listen: string;
  readonly key?: string;
  /** Run for each session; makes audio come. */
  readonly activate?: string;
  /** Run after the host was sent away for good; starts it anew. */
  readonly restart?: string;
  /** Checks under way at once. */
  readonly sessions?: number;
}

const claimsSchema = z.object({ sub: z.string(), epoch: z.int() });

/** `earshot conformance worker`: checks a media worker. Exit code 1 when a rule is broken. */
export async function conformanceWorker(options: WorkerConformanceOptions): Promise<void> {
  if (options.list === true) return printRules(WORKER_RULES);
  const url = needed(options.url, '--url', 'the ws:// URL of the media link');
  const { calls, tokenKey, close } = await callsOf(options);
  try {
    const limitMs = limitOf(options);
    const onResult = printer(options);
    const only = options.rule;
    const clock = systemClock;
    const { pendingLimit } = options;
    print(
      options,
      await checkWorker({ url, calls, tokenKey, clock, only, limitMs, pendingLimit, onResult }),
    );
  } finally {
    await close();
  }
}

/** `earshot conformance host`: checks the media host that dials. Exit code 1 as above. */
export async function conformanceHost(options: HostConformanceOptions): Promise<void> {
  if (options.list === true) return printRules(HOST_RULES);
  const key = needed(
    options.key ?? process.env['EARSHOT_HOST_KEY'],
    '--key or EARSHOT_HOST_KEY',
    'the host key that the host has',
  );
  const { activate, restart } = options;
  const results = await checkHost({
    listen: listenAddress(options.listen),
    key,
    clock: systemClock,
    only: options.rule,
    limitMs: limitOf(options),
    sessions: options.sessions,
    onListening: (hostLinkUrl) => {
      process.stderr.write(`waiting for the host at ${hostLinkUrl}\n`);
    },
    ...(activate === undefined
      ? {}
      : {
          activate: ({ mediaId, callId, blob }) =>
            runShell(activate, {
              EARSHOT_MEDIA_ID: mediaId,
              EARSHOT_CALL_ID: callId,
              EARSHOT_BLOB: blob,
            }),
        }),
    ...(restart === undefined ? {} : { restart: () => runShell(restart, {}) }),
    onResult: printer(options),
  });
  print(options, results);
}

async function callsOf(options: WorkerConformanceOptions): Promise<{
  readonly calls: CallSource;
  readonly tokenKey: TokenKey | undefined;
  close(): Promise<void>;
}> {
  const { token, redis } = options;
  if (token !== undefined) {
    return { calls: callOfToken(token), tokenKey: undefined, close: async () => {} };
  }
  const given = options.tokenKey ?? process.env['EARSHOT_BRIDGE_KEY'];
  const text = needed(given, '--token-key, EARSHOT_BRIDGE_KEY or --token', 'what signs tokens');
  const key = Buffer.from(text, 'base64url');
  const workerId = needed(options.workerId, '--worker-id', 'the audience of its tokens');
  const tokenKey = { key: new Uint8Array(key), workerId };
  const second = secondWorker(options);
  if (redis === undefined) {
    const calls = keyedCalls({ tokenKey, clock: systemClock, second });
    return { calls, tokenKey, close: async () => {} };
  }
  const registry = new Registry({ redisUrl: redis, clock: systemClock });
  await registry.ready();
  const place = (callId: string, onWorker: string): Promise<number> =>
    placeOn(registry, callId, onWorker);
  const calls = keyedCalls({ tokenKey, clock: systemClock, place, second });
  return { calls, tokenKey, close: () => registry.close() };
}

function secondWorker({
  secondUrl,
  secondWorkerId,
}: WorkerConformanceOptions): SecondWorker | undefined {
  if (secondUrl === undefined && secondWorkerId === undefined) return undefined;
  return {
    url: needed(secondUrl, '--second-url', 'the media link of --second-worker-id'),
    workerId: needed(secondWorkerId, '--second-worker-id', 'the worker of --second-url'),
  };
}

/** Places the call as signaling does, on the worker under test and no other. */
async function placeOn(registry: Registry, callId: string, workerId: string): Promise<number> {
  const others = (await registry.workers()).map((worker) => worker.workerId);
  const excludeWorkers = others.filter((id) => id !== workerId);
  const placed = await registry.placeCall(callId, { excludeWorkers });
  if (placed?.workerId === workerId) return placed.epoch;
  throw new CodedError(
    'worker_away',
    `Cannot place a call: the worker must take calls in this Redis, got ${workerId}, which does not`,
    { fix: 'Check --worker-id and --redis.' },
  );
}

function callOfToken(token: string): CallSource {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  try {
    const { sub, epoch } = claimsSchema.parse(JSON.parse(payload));
    return fixedCall({ callId: sub, epoch, token });
  } catch (cause) {
    throw new CodedError(
      'invalid_token',
      'Cannot use the token: it must be a JWT with sub and epoch, got another text',
      { cause },
    );
  }
}

function printer({ json = false }: ConformanceOptions): (result: RuleResult) => void {
  // In JSON the results come at the end; what happens meanwhile is for people.
  const stream = json ? process.stderr : process.stdout;
  return (result) => {
    stream.write(`${resultText(result)}\n`);
  };
}

function print({ json = false }: ConformanceOptions, results: readonly RuleResult[]): void {
  const tally = tallyOf(results);
  console.log(json ? JSON.stringify({ ...tally, results }) : tallyText(tally));
  if (tally.fail > 0 || tally.blocked > 0) process.exitCode = 1;
}

function printRules(rules: readonly { readonly id: string; readonly title: string }[]): void {
  for (const { id, title } of rules) console.log(`${id.padEnd(18)} §${sectionOf(id)}  ${title}`);
}

function limitOf({ limit }: ConformanceOptions): number | undefined {
  return limit === undefined ? undefined : limit * 1000;
}

function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  const host = text.slice(0, colon);
  if (colon > 0 && Number.isInteger(port) && port >= 0 && port < 65_536) return { host, port };
  throw new CodedError(
    'invalid_option',
    `Cannot listen: --listen must be host:port, such as 127.0.0.1:0, got ${text}`,
  );
}

function needed(value: string | undefined, option: string, what: string): string {
  if (value !== undefined && value !== '') return value;
  throw new CodedError(
    'missing_option',
    `Cannot check: ${option} must be given, ${what}, got nothing`,
  );
}

/** Secrets go through the environment: arguments are shown to every user of the machine. */
async function runShell(
  command: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const child = spawn(command, {
    shell: true,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  (child.stdout as Readable).pipe(process.stderr);
  const [code] = await once(child, 'exit');
  if (code === 0) return;
  throw new CodedError('command_failed', `Cannot go on: ${command} must exit with 0, got ${code}`);
}
