import { randomBytes } from 'node:crypto';
import os from 'node:os';
import process from 'node:process';
import { CodedError } from '@earshot/async';
import type { OpusEngineName } from '@earshot/opus';
import { DEFAULT_OPUS_ENGINE, OPUS_ENGINES } from '@earshot/opus';
import type { ListenAddress } from '@earshot/service-process';
import { parseListenAddress, readProxySettings } from '@earshot/service-process';
import type { SpeechModelName } from '@earshot/speech-model';
import { DEFAULT_SPEECH_MODEL, SPEECH_MODELS } from '@earshot/speech-model';
import type { HealthLimits } from '@earshot/telemetry';
import { DEFAULT_CLEAR_AFTER_MS, parseHealthLimits } from '@earshot/telemetry';
import { z } from 'zod';
import type { EngineSettings } from './recognition/engine-settings.js';
import { engineSettings, engineVariables } from './recognition/engine-settings.js';
import { WORKER_HEALTH_CHECKS } from './worker-health.js';

/** What a media worker is told at its start. Times in ms. */
export interface MediaWorkerConfig {
  /** `redis://…`, `redis+cluster://host:port,host:port`, or the absolute path of a Unix socket. */
  readonly redisUrl: string;
  readonly listen: ListenAddress;
  readonly workerId: string;
  /** WebSocket URL that media hosts are told to dial; undefined: the worker's own. */
  readonly advertisedUrl: string | undefined;
  /** Key of the media tokens, shared with signaling; at least 32 bytes. */
  readonly bridgeKey: Uint8Array;
  /** Media links of one address that are open and not yet welcomed. */
  readonly maxPendingPerAddress: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  readonly decodeThreads: number;
  readonly opusEngine: OpusEngineName;
  /** What confirms what may be speech. */
  readonly speechModel: SpeechModelName;
  /** Streams heard at once; calls beyond are refused as busy. */
  readonly maxStreams: number;
  /** Slots of a stream's ring; a power of two. The credit of each stream is three quarters of it. */
  readonly ringFrames: number;
  /** Threads that recognize speech; none runs before a call asks for it. */
  readonly recognizerThreads: number;
  /** Work that may wait in each of them, as the time that it takes; speech beyond it is skipped. */
  readonly recognizerBacklogMs: number;
  /** Sessions of recognizers that each of them may have open. */
  readonly recognizerSessions: number;
  /** What recognizers of speech are set up. */
  readonly engines: EngineSettings;
  /** How long a call whose link broke is kept for its host to come back. */
  readonly linkGraceMs: number;
  /** How long calls may take to finish once the worker is told to stop. */
  readonly drainMs: number;
  /** How long the first event of a source waits for the roster to name its participant. */
  readonly attributionWaitMs: number;
  /** A call of which nothing is heard for so long is deaf, if somebody could speak; 0: never. */
  readonly deafAfterMs: number;
  /** Of the checks of `/livez` and `/readyz`, in place of their own. */
  readonly healthLimits: HealthLimits;
  /** How long a failed check must be well below its limit before it passes again. */
  readonly healthClearMs: number;
  /** Resident memory at which the worker is full, bytes. */
  readonly memoryLimitBytes: number;
  /** Base URL of the collector of traces; absent: none are kept. */
  readonly otlpEndpoint?: string | undefined;
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
const KEY_BYTES = 32;

const powerOfTwo = z.coerce
  .number()
  .int()
  .min(4)
  .max(4096)
  .refine((n) => (n & (n - 1)) === 0, 'must be a power of two');

const listenAddress = z
  .string()
  .transform(parseListenAddress)
  .refine((address) => address !== undefined, 'must be host:port, such as 127.0.0.1:8081');

const environmentSchema = z.object({
  REDIS_URL: z
    .string()
    .regex(
      /^(rediss?(\+cluster)?:\/\/|\/)/,
      'must be redis://…, redis+cluster://… or the path of a socket',
    ),
  EARSHOT_LISTEN: listenAddress.default({ host: '127.0.0.1', port: 0 }),
  EARSHOT_WORKER_ID: z
    .string()
    .regex(/^[\w-]{1,64}$/, 'must be 1 to 64 of [A-Za-z0-9_-]')
    .optional(),
  EARSHOT_ADVERTISED_URL: z
    .string()
    .regex(/^wss?:\/\//, 'must be a ws:// or wss:// URL')
    .optional(),
  EARSHOT_BRIDGE_KEY: z
    .string()
    .transform((text) => new Uint8Array(Buffer.from(text, 'base64url')))
    .refine((key) => key.length >= KEY_BYTES, `must be at least ${KEY_BYTES} bytes of base64url`),
  EARSHOT_MAX_PENDING_PER_ADDRESS: z.coerce.number().int().min(1).max(65_536).default(64),
  EARSHOT_LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  EARSHOT_DECODE_THREADS: z.coerce.number().int().min(1).max(64).optional(),
  EARSHOT_OPUS_ENGINE: z.enum(OPUS_ENGINES).default(DEFAULT_OPUS_ENGINE),
  EARSHOT_SPEECH_MODEL: z.enum(SPEECH_MODELS).default(DEFAULT_SPEECH_MODEL),
  EARSHOT_MAX_STREAMS: z.coerce.number().int().min(1).max(5000).default(400),
  EARSHOT_RING_FRAMES: powerOfTwo.default(128),
  EARSHOT_RECOGNIZER_THREADS: z.coerce.number().int().min(1).max(16).default(1),
  EARSHOT_RECOGNIZER_BACKLOG_MS: z.coerce.number().int().min(500).max(120_000).default(10_000),
  EARSHOT_RECOGNIZER_SESSIONS: z.coerce.number().int().min(1).max(1000).default(32),
  ...engineVariables,
  EARSHOT_LINK_GRACE_MS: z.coerce.number().int().min(0).max(600_000).default(30_000),
  EARSHOT_DRAIN_MS: z.coerce.number().int().min(0).max(3_600_000).default(3000),
  EARSHOT_ATTRIBUTION_WAIT_MS: z.coerce.number().int().min(0).max(60_000).default(2000),
  EARSHOT_DEAF_AFTER_MS: z.coerce.number().int().min(0).max(3_600_000).default(60_000),
  EARSHOT_HEALTH_LIMITS: z.string().default(''),
  EARSHOT_HEALTH_CLEAR_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(DEFAULT_CLEAR_AFTER_MS),
  EARSHOT_MEMORY_LIMIT_BYTES: z.coerce.number().int().min(1).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .optional(),
});

/**
 * Reads the environment.
 *
 * @throws CodedError `invalid_config`, naming the first variable that is wrong.
 */
export function readConfig(environment: NodeJS.ProcessEnv): MediaWorkerConfig {
  const parsed = environmentSchema.safeParse(withoutEmpty(environment));
  if (!parsed.success) throw invalidConfig(parsed.error);
  const env = parsed.data;
  if (env.EARSHOT_ADVERTISED_URL === undefined && isWildcard(env.EARSHOT_LISTEN.host)) {
    throw new CodedError(
      'invalid_config',
      `Cannot start the media worker: EARSHOT_ADVERTISED_URL must be set when it listens on all addresses, got ${env.EARSHOT_LISTEN.host}`,
      { fix: 'Set it to the ws:// URL of /v1/media-link as media hosts reach it.' },
    );
  }
  return Object.freeze({
    redisUrl: env.REDIS_URL,
    listen: env.EARSHOT_LISTEN,
    workerId: env.EARSHOT_WORKER_ID ?? `w_${randomBytes(9).toString('base64url')}`,
    advertisedUrl: env.EARSHOT_ADVERTISED_URL,
    bridgeKey: env.EARSHOT_BRIDGE_KEY,
    maxPendingPerAddress: env.EARSHOT_MAX_PENDING_PER_ADDRESS,
    logLevel: env.EARSHOT_LOG_LEVEL,
    decodeThreads: env.EARSHOT_DECODE_THREADS ?? Math.max(1, os.availableParallelism() - 1),
    opusEngine: env.EARSHOT_OPUS_ENGINE,
    speechModel: env.EARSHOT_SPEECH_MODEL,
    maxStreams: env.EARSHOT_MAX_STREAMS,
    ringFrames: env.EARSHOT_RING_FRAMES,
    recognizerThreads: env.EARSHOT_RECOGNIZER_THREADS,
    recognizerBacklogMs: env.EARSHOT_RECOGNIZER_BACKLOG_MS,
    recognizerSessions: env.EARSHOT_RECOGNIZER_SESSIONS,
    engines: engineSettings(env, readProxySettings(environment)),
    linkGraceMs: env.EARSHOT_LINK_GRACE_MS,
    drainMs: env.EARSHOT_DRAIN_MS,
    attributionWaitMs: env.EARSHOT_ATTRIBUTION_WAIT_MS,
    deafAfterMs: env.EARSHOT_DEAF_AFTER_MS,
    healthLimits: parseHealthLimits(env.EARSHOT_HEALTH_LIMITS, WORKER_HEALTH_CHECKS),
    healthClearMs: env.EARSHOT_HEALTH_CLEAR_MS,
    memoryLimitBytes: env.EARSHOT_MEMORY_LIMIT_BYTES ?? memoryOfMachine(),
    otlpEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT,
  });
}

/** What the control group allows, or all there is. */
function memoryOfMachine(): number {
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(allowed, os.totalmem()) : os.totalmem();
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** A variable set to nothing is a variable not set. */
function withoutEmpty(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
}

function invalidConfig(error: z.ZodError): CodedError {
  const issue = error.issues[0];
  const name = String(issue?.path[0] ?? 'the environment');
  const isMissing = issue?.code === 'invalid_type' && issue.input === undefined;
  const rule = isMissing ? 'must be set, got nothing' : (issue?.message ?? 'is not valid');
  return new CodedError('invalid_config', `Cannot start the media worker: ${name} ${rule}`);
}
