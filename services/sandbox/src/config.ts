import { randomBytes, randomUUID } from 'node:crypto';
import { CodedError } from '@earshot/async';
import type { ListenAddress } from '@earshot/service-process';
import { parseListenAddress } from '@earshot/service-process';
import { z } from 'zod';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
const MAX_SPEED = 1_000;
const MAX_REPLAY_WINDOW_MS = 600_000;
/** Variables whose values no message may show. */
const SECRETS: ReadonlySet<string> = new Set(['EARSHOT_HOST_KEY', 'GRAPH_CLIENT_SECRET']);

/** Everything that the sandbox reads from its environment, checked and frozen. */
export interface SandboxConfig {
  readonly listen: ListenAddress;
  /** Where `graph-ca.pem` is written; a folder of its own, removed at the end, when absent. */
  readonly dataDir: string | undefined;
  /** Host link of signaling, when it is known at the start. */
  readonly hostLink: { readonly url: string; readonly token: string } | undefined;
  /** Times real time. Above 1 the meeting's clock is virtual and waits for the worker. */
  readonly speed: number;
  /** How long the media host keeps frames for a worker that is away, ms. */
  readonly replayWindowMs: number;
  /** The one app registration that the simulated tenant knows. */
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenantId: string;
  /** Audio files that become the participants of an extra meeting, `custom`. */
  readonly audioFiles: readonly string[];
  /** Folder of `meeting.json`; the bundled meeting's when absent. */
  readonly meetingFolder: string | undefined;
  /** Scenario files that are loaded at the start. */
  readonly scenarioFiles?: readonly string[] | undefined;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

const filled = z.string().min(1, 'must be set');

const environmentSchema = z.object({
  EARSHOT_LISTEN: z
    .string()
    .transform(parseListenAddress)
    .refine((address) => address !== undefined, 'must be host:port, such as 127.0.0.1:8443')
    .default({ host: '127.0.0.1', port: 0 }),
  EARSHOT_DATA_DIR: filled.optional(),
  EARSHOT_HOST_LINK_URL: z.url({ protocol: /^wss?$/, error: 'must be a ws or wss URL' }).optional(),
  EARSHOT_HOST_KEY: filled.optional(),
  EARSHOT_SPEED: z
    .string()
    .transform(Number)
    .refine((speed) => speed >= 1 && speed <= MAX_SPEED, `must be from 1 to ${MAX_SPEED}`)
    .default(1),
  EARSHOT_REPLAY_WINDOW_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(MAX_REPLAY_WINDOW_MS, `must be from 0 to ${MAX_REPLAY_WINDOW_MS}`)
    .default(30_000),
  EARSHOT_AUDIO: z
    .string()
    .transform(parseFileList)
    .refine((files) => files !== undefined, 'must be a JSON array of file paths')
    .default([]),
  EARSHOT_MEETING_DIR: filled.optional(),
  EARSHOT_SCENARIOS: z
    .string()
    .transform(parseFileList)
    .refine((files) => files !== undefined, 'must be a JSON array of file paths')
    .default([]),
  EARSHOT_LOG_LEVEL: z.enum(LOG_LEVELS).default('warn'),
  GRAPH_CLIENT_ID: filled.optional(),
  GRAPH_CLIENT_SECRET: filled.optional(),
  GRAPH_TENANT_ID: filled.optional(),
});

/**
 * Reads the environment. Empty variables count as unset; client id, secret and tenant are made
 * up where they are not given.
 *
 * @throws CodedError `invalid_config`, naming every variable at fault.
 */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
): SandboxConfig {
  const set = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environmentSchema.safeParse(set);
  if (!parsed.success) throw invalidConfig(parsed.error, set);
  const { data } = parsed;
  return Object.freeze({
    listen: data.EARSHOT_LISTEN ?? { host: '127.0.0.1', port: 0 },
    dataDir: data.EARSHOT_DATA_DIR,
    hostLink: hostLinkOf(data.EARSHOT_HOST_LINK_URL, data.EARSHOT_HOST_KEY),
    speed: data.EARSHOT_SPEED,
    replayWindowMs: data.EARSHOT_REPLAY_WINDOW_MS,
    clientId: data.GRAPH_CLIENT_ID ?? randomUUID(),
    clientSecret: data.GRAPH_CLIENT_SECRET ?? randomBytes(24).toString('base64url'),
    tenantId: data.GRAPH_TENANT_ID ?? randomUUID(),
    audioFiles: data.EARSHOT_AUDIO ?? [],
    meetingFolder: data.EARSHOT_MEETING_DIR,
    scenarioFiles: data.EARSHOT_SCENARIOS ?? [],
    logLevel: data.EARSHOT_LOG_LEVEL,
  });
}

function hostLinkOf(url: string | undefined, token: string | undefined): SandboxConfig['hostLink'] {
  if (url === undefined) return undefined;
  if (token !== undefined) return { url, token };
  throw new CodedError(
    'invalid_config',
    'Cannot start the sandbox: EARSHOT_HOST_KEY must be set with EARSHOT_HOST_LINK_URL, got nothing',
  );
}

function parseFileList(text: string): string[] | undefined {
  try {
    return z.array(z.string().min(1)).max(32).parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function invalidConfig(error: z.ZodError, set: Readonly<Record<string, unknown>>): CodedError {
  const faults = error.issues.map((issue) => {
    const name = String(issue.path[0]);
    const value = set[name];
    const shown = SECRETS.has(name) ? 'another value' : String(value);
    return `${name} ${issue.message}, got ${shown}`;
  });
  return new CodedError('invalid_config', `Cannot start the sandbox: ${faults.join('; ')}`, {
    fix: 'See the table of variables in services/sandbox/README.md.',
  });
}
