import { CodedError } from '@earshot/async';
import type { GraphCredential, GraphEndpoints } from '@earshot/graph';
import type { ListeningSettings } from '@earshot/listening';
import { DEFAULT_LISTENING } from '@earshot/listening';
import type { RateLimit } from '@earshot/rate-limit';
import type { AdmissionLimits } from '@earshot/registry';
import type { ListenAddress, ProxySettings } from '@earshot/service-process';
import { parseListenAddress, readProxySettings } from '@earshot/service-process';
import type { HealthLimits } from '@earshot/telemetry';
import { DEFAULT_CLEAR_AFTER_MS, parseHealthLimits } from '@earshot/telemetry';
import { AddressRules } from '@earshot/webhooks';
import { z } from 'zod';
import {
  admissionLimits,
  callsReserve,
  maxCalls,
  maxCallsPerMonth,
  rejoin,
} from './admission/limits-config.js';
import {
  apiKeysFile,
  apiKeysText,
  apiKeyText,
  defaultKey,
  rateLimitText,
  repetitionIn,
} from './api-key-config.js';
import { AUTO_LEAVE_VARIABLES, autoLeaveLimits } from './auto-leave-config.js';
import type { AutoLeaveLimits } from './calls/stay-state.js';
import { endpointsOf, graphVariables, readCredential } from './graph-config.js';
import { SIGNALING_HEALTH_CHECKS } from './health.js';
import type { IncomingConfig } from './incoming/incoming-config.js';
import {
  incomingAnswers,
  incomingRedirects,
  participantCapacity,
  recordsAtOnce,
} from './incoming/incoming-config.js';
import { listeningText } from './listening-config.js';
import type { ApiKey } from './rest/api-keys.js';
import { splitList } from './split-list.js';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
const MIN_BRIDGE_KEY_BYTES = 32;
/** Variables whose values no message may show; a Redis URL may hold a password. */
const SECRETS: ReadonlySet<string> = new Set([
  'REDIS_URL',
  'EARSHOT_HOST_KEY',
  'EARSHOT_BRIDGE_KEY',
  'EARSHOT_API_KEY',
  'EARSHOT_API_KEYS',
  'GRAPH_CLIENT_SECRET',
  // Phrases are no secret, but nobody's business in a log.
  'EARSHOT_LISTENING',
]);

/** Everything that signaling reads from its environment, checked and frozen. */
export interface SignalingConfig {
  /** `redis://…`, `redis+cluster://host:port,host:port`, or the absolute path of a Unix socket. */
  readonly redisUrl: string;
  readonly listen: ListenAddress;
  /** Base of the callback addresses given to Graph; the service's own address when absent. */
  readonly publicUrl: string | undefined;
  /** Bearer that media hosts present on the host link. */
  readonly hostKey: string;
  /** Signs media tokens; at least 32 bytes. */
  readonly bridgeKey: Uint8Array;
  /** Bearers of the REST API; none only on a loopback address. */
  readonly apiKeys: readonly ApiKey[];
  /** Requests of a key that has no limit of its own. */
  readonly rateLimit: RateLimit | undefined;
  /** Requests without a valid key, of an address. */
  readonly authFailureLimit: RateLimit | undefined;
  /** Proxies whose word on who asks is taken: addresses and ranges. */
  readonly trustedProxies: readonly string[];
  readonly graph: GraphEndpoints;
  /** Graph and Entra ID are reached through these. */
  readonly proxies: ProxySettings;
  readonly clientId: string;
  readonly credential: GraphCredential;
  /** Tenant of meetings whose URL doesn't name one. */
  readonly tenantId: string | undefined;
  /** How many calls the app may have at once and make in a month, all processes together. */
  readonly admission: AdmissionLimits;
  /** Whether a call whose media failed is joined once more on another media host. */
  readonly rejoin: 'once' | 'never';
  /** Connections of one address on the host link that are open and not yet welcomed. */
  readonly maxPendingPerAddress: number;
  /** Ranges, such as 10.1.0.0/16, that webhooks may reach though they are not public. */
  readonly webhookAllowedRanges: readonly string[];
  /** Webhooks may go to http: URLs of other machines. */
  readonly webhookAllowHttp: boolean;
  /** Live event streams at a time. */
  readonly maxEventStreams: number;
  readonly incoming: IncomingConfig;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** When bots leave by themselves, where a request does not say otherwise. */
  readonly autoLeave: AutoLeaveLimits;
  /** What is listened for in calls, where a request does not say otherwise. */
  readonly listening: ListeningSettings;
  /** Whether transcripts are kept while a call may be recorded, and for how long; undefined: none. */
  readonly keepTranscriptsMs: number | undefined;
  /** Of the checks of `/livez` and `/readyz`, in place of their own. */
  readonly healthLimits: HealthLimits;
  /** How long a failed check must be well below its limit before it passes again, ms. */
  readonly healthClearMs: number;
  /** Base URL of the collector of traces; absent: none are kept. */
  readonly otlpEndpoint?: string | undefined;
}

const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const filled = z.string().min(1, 'must be set');
const listenAddress = z
  .string()
  .transform(parseListenAddress)
  .refine((address) => address !== undefined, 'must be host:port, such as 127.0.0.1:8080');

const environmentSchema = z.object({
  REDIS_URL: filled,
  EARSHOT_LISTEN: listenAddress.default({ host: '127.0.0.1', port: 0 }),
  EARSHOT_PUBLIC_URL: url.optional(),
  EARSHOT_HOST_KEY: z.string().min(16, 'must have at least 16 characters'),
  EARSHOT_BRIDGE_KEY: z
    .string()
    .transform((text) => Buffer.from(text, 'base64url'))
    .refine(
      (key) => key.byteLength >= MIN_BRIDGE_KEY_BYTES,
      `must be at least ${MIN_BRIDGE_KEY_BYTES} bytes in base64url`,
    ),
  EARSHOT_API_KEY: apiKeyText.optional(),
  EARSHOT_API_KEYS: apiKeysText.optional(),
  EARSHOT_API_KEYS_FILE: apiKeysFile.optional(),
  EARSHOT_RATE_LIMIT: rateLimitText.default({ requests: 2000, windowS: 10 }),
  EARSHOT_AUTH_FAILURE_LIMIT: rateLimitText.default({ requests: 60, windowS: 60 }),
  EARSHOT_TRUSTED_PROXIES: z
    .string()
    .transform(splitList)
    .refine(areRanges, 'must be ranges such as 10.1.0.0/16,127.0.0.1/32')
    .default([]),
  EARSHOT_MAX_CALLS: maxCalls,
  EARSHOT_CALLS_RESERVE: callsReserve,
  EARSHOT_MAX_CALLS_PER_MONTH: maxCallsPerMonth,
  EARSHOT_REJOIN: rejoin,
  EARSHOT_MAX_PENDING_PER_ADDRESS: z.coerce.number().int().min(1).max(65_536).default(64),
  EARSHOT_WEBHOOK_ALLOWED_RANGES: z
    .string()
    .transform(splitList)
    .refine(areRanges, 'must be ranges such as 10.1.0.0/16,fd00::/8')
    .default([]),
  EARSHOT_WEBHOOK_ALLOW_HTTP: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(false),
  EARSHOT_MAX_EVENT_STREAMS: z.coerce.number().int().min(0).max(10_000).default(100),
  ...AUTO_LEAVE_VARIABLES,
  EARSHOT_LISTENING: listeningText.default(DEFAULT_LISTENING),
  EARSHOT_KEEP_TRANSCRIPTS: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .default(false),
  EARSHOT_TRANSCRIPT_TTL_HOURS: z.coerce.number().int().min(1).max(8760).default(24),
  EARSHOT_INCOMING: incomingAnswers,
  EARSHOT_INCOMING_REDIRECTS: incomingRedirects,
  EARSHOT_PARTICIPANT_CAPACITY: participantCapacity,
  EARSHOT_RECORD_AT_ONCE: recordsAtOnce,
  EARSHOT_LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  EARSHOT_HEALTH_LIMITS: z.string().default(''),
  EARSHOT_HEALTH_CLEAR_MS: z.coerce
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(DEFAULT_CLEAR_AFTER_MS),
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional(),
  ...graphVariables,
  GRAPH_CLIENT_ID: filled,
  // Callbacks name tenants by GUID: those of a tenant known by its domain would all be refused.
  GRAPH_TENANT_ID: z.guid('must be a GUID, not a domain name').optional(),
});

/**
 * Reads the environment. Empty variables count as unset; secrets never appear in messages.
 *
 * @throws CodedError `invalid_config`, naming every variable at fault; `api_key_required` when
 * the API would be open to other machines.
 */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
): SignalingConfig {
  const set = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environmentSchema.safeParse(set);
  const credential = readCredential(set);
  if (!parsed.success || !credential.ok) {
    throw refusedConfig([
      ...(parsed.success ? [] : faultsOf(parsed.error, set)),
      ...(credential.ok ? [] : credential.faults),
    ]);
  }
  const { data } = parsed;
  const apiKeys = apiKeysOf(data);
  if (apiKeys.length === 0 && !isLoopback(data.EARSHOT_LISTEN.host)) {
    throw new CodedError(
      'api_key_required',
      `Cannot start signaling: EARSHOT_API_KEY or EARSHOT_API_KEYS must be set unless EARSHOT_LISTEN is a loopback address, got ${data.EARSHOT_LISTEN.host}`,
      { fix: 'Set EARSHOT_API_KEY to a long random value, or listen on 127.0.0.1.' },
    );
  }
  const admission = admissionLimits(data);
  if (admission === undefined) {
    throw refusedConfig([
      `EARSHOT_CALLS_RESERVE must be less than EARSHOT_MAX_CALLS, got ${data.EARSHOT_CALLS_RESERVE} of ${data.EARSHOT_MAX_CALLS}`,
    ]);
  }
  return Object.freeze({
    redisUrl: data.REDIS_URL,
    listen: data.EARSHOT_LISTEN,
    publicUrl: data.EARSHOT_PUBLIC_URL?.replace(/\/+$/, ''),
    hostKey: data.EARSHOT_HOST_KEY,
    bridgeKey: data.EARSHOT_BRIDGE_KEY,
    apiKeys,
    rateLimit: limitOrNone(data.EARSHOT_RATE_LIMIT),
    authFailureLimit: limitOrNone(data.EARSHOT_AUTH_FAILURE_LIMIT),
    trustedProxies: data.EARSHOT_TRUSTED_PROXIES,
    graph: endpointsOf(data),
    proxies: readProxySettings(set),
    clientId: data.GRAPH_CLIENT_ID,
    credential: credential.value,
    tenantId: data.GRAPH_TENANT_ID,
    admission,
    rejoin: data.EARSHOT_REJOIN,
    maxPendingPerAddress: data.EARSHOT_MAX_PENDING_PER_ADDRESS,
    webhookAllowedRanges: data.EARSHOT_WEBHOOK_ALLOWED_RANGES,
    webhookAllowHttp: data.EARSHOT_WEBHOOK_ALLOW_HTTP,
    maxEventStreams: data.EARSHOT_MAX_EVENT_STREAMS,
    autoLeave: autoLeaveLimits(data),
    listening: data.EARSHOT_LISTENING,
    keepTranscriptsMs: data.EARSHOT_KEEP_TRANSCRIPTS
      ? data.EARSHOT_TRANSCRIPT_TTL_HOURS * 3_600_000
      : undefined,
    incoming: {
      answers: data.EARSHOT_INCOMING,
      redirects: data.EARSHOT_INCOMING_REDIRECTS,
      participantCapacity: data.EARSHOT_PARTICIPANT_CAPACITY,
      recordsAtOnce: data.EARSHOT_RECORD_AT_ONCE,
    },
    logLevel: data.EARSHOT_LOG_LEVEL,
    healthLimits: parseHealthLimits(data.EARSHOT_HEALTH_LIMITS, SIGNALING_HEALTH_CHECKS),
    healthClearMs: data.EARSHOT_HEALTH_CLEAR_MS,
    otlpEndpoint: data.OTEL_EXPORTER_OTLP_ENDPOINT,
  });
}

function apiKeysOf(data: z.infer<typeof environmentSchema>): readonly ApiKey[] {
  const { EARSHOT_API_KEY: key, EARSHOT_API_KEYS: text, EARSHOT_API_KEYS_FILE: file } = data;
  if (text !== undefined && file !== undefined) {
    throw refusedConfig(['EARSHOT_API_KEYS must not be set beside EARSHOT_API_KEYS_FILE']);
  }
  const keys = [...(key === undefined ? [] : [defaultKey(key)]), ...(text ?? file ?? [])];
  const fault = repetitionIn(keys);
  if (fault !== undefined) throw refusedConfig([`EARSHOT_API_KEY and EARSHOT_API_KEYS ${fault}`]);
  return keys;
}

function limitOrNone(limit: RateLimit | 'off'): RateLimit | undefined {
  return limit === 'off' ? undefined : limit;
}

function areRanges(allowedRanges: readonly string[]): boolean {
  try {
    return new AddressRules({ allowedRanges }) !== undefined;
  } catch {
    return false;
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function faultsOf(error: z.ZodError, set: Readonly<Record<string, unknown>>): string[] {
  return error.issues.map((issue) => {
    const name = String(issue.path[0]);
    const value = set[name];
    if (typeof value !== 'string') return `${name} must be set, got nothing`;
    const shown = SECRETS.has(name) ? `${value.length} characters` : value;
    return `${name} ${issue.message}, got ${shown}`;
  });
}

function refusedConfig(faults: readonly string[]): CodedError {
  return new CodedError('invalid_config', `Cannot start signaling: ${faults.join('; ')}`, {
    fix: 'See the table of variables in services/signaling/README.md.',
  });
}
