import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainableCommander } from 'ioredis';
import { Cluster, Redis } from 'ioredis';
import { unreachable } from './connection-error.js';
import type { RedisAddress } from './redis-address.js';
import { noAddress, parseRedisUrl } from './redis-address.js';

/** A connection to one Redis, or the connections to a cluster. */
export type RedisClient = Redis | Cluster;

export interface ClientOptions {
  /** Reconnections a command outlives; null for all. */
  readonly maxRetriesPerRequest: number | null;
  /** False when commands are to fail at once while Redis is away. */
  readonly enableOfflineQueue?: boolean;
  /** How long an answer may take, ms. */
  readonly commandTimeout?: number;
  /**
   * How long nothing may come while something is awaited, before the connection is given up and made
   * anew, ms. @defaultValue twice `commandTimeout`, else 20 000
   */
  readonly socketTimeout?: number;
}

/** Connecting is tried this often before `connect` gives up: about a second altogether. */
const CONNECT_ATTEMPTS = 5;
/** A connection whose other end vanished looks well for minutes; blocking reads last 10 s at most. */
const SOCKET_TIMEOUT_MS = 20_000;
/** A server that can not even say goodbye is left. */
const QUIT_WITHIN_MS = 1_000;
/** A cluster that lost a master is asked again this soon for who has its slots now. */
const FAILOVER_RETRY_MS = 100;

/**
 * A client that connects on `connect` and reconnects by itself; its errors need no listener.
 *
 * @throws CodedError `redis_unreachable` when the address is none.
 */
export function createClient(redisUrl: string, options: ClientOptions): RedisClient {
  const address = parseRedisUrl(redisUrl);
  const client =
    address.kind === 'single' ? openSingle(address.url, options) : openCluster(address, options);
  client.on('error', () => {});
  return client;
}

function openSingle(url: string, options: ClientOptions): Redis {
  try {
    return new Redis(url, {
      lazyConnect: true,
      retryStrategy: retryDelayMs,
      ...options,
      socketTimeout: socketTimeoutOf(options),
    });
  } catch {
    throw noAddress();
  }
}

function openCluster(
  address: Extract<RedisAddress, { kind: 'cluster' }>,
  options: ClientOptions,
): Cluster {
  const { maxRetriesPerRequest, enableOfflineQueue = true, commandTimeout } = options;
  const { nodes, username, password, tls } = address;
  const redisOptions = {
    maxRetriesPerRequest,
    socketTimeout: socketTimeoutOf(options),
    ...(commandTimeout === undefined ? {} : { commandTimeout }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
  return new Cluster(
    nodes.map((node) => ({ ...node })),
    {
      lazyConnect: true,
      enableOfflineQueue,
      // Of a check that fails, in a cluster that fails over, ioredis never tells who waits for `connect`:
      // so a consumer would stand still for ever. What a cluster that is down refuses is tried again.
      enableReadyCheck: false,
      redisOptions,
      clusterRetryStrategy: retryDelayMs,
      retryDelayOnFailover: FAILOVER_RETRY_MS,
      retryDelayOnClusterDown: FAILOVER_RETRY_MS,
      // In a cluster these are what a command outlives.
      maxRedirections: maxRetriesPerRequest === null ? Number.MAX_SAFE_INTEGER : 16,
    },
  );
}

function socketTimeoutOf({ socketTimeout, commandTimeout }: ClientOptions): number {
  if (socketTimeout !== undefined) return socketTimeout;
  return commandTimeout === undefined ? SOCKET_TIMEOUT_MS : 2 * commandTimeout;
}

function retryDelayMs(attempt: number): number {
  return Math.min(25 * 2 ** attempt, 1_000);
}

/** @throws CodedError `redis_unreachable` when the first connection does not come about. */
export function connect(client: RedisClient): Promise<void> {
  return new Promise((resolve, reject) => {
    let attempts = 0;
    let lastError: Error | undefined;
    const settle = () => {
      client.off('ready', onReady).off('close', onClose).off('end', onEnd).off('error', onError);
    };
    const onReady = () => {
      settle();
      resolve();
    };
    const onError = (error: Error) => {
      lastError = error;
    };
    const onClose = () => {
      attempts += 1;
      if (attempts >= CONNECT_ATTEMPTS) onEnd();
    };
    const onEnd = () => {
      settle();
      reject(unreachable(lastError));
    };
    if (client.status === 'ready') return resolve();
    client.on('ready', onReady).on('close', onClose).on('end', onEnd).on('error', onError);
    if (client.status === 'wait') client.connect().catch(() => {});
  });
}

/** Commands under way are answered first, unless Redis is away. */
export async function disconnect(client: RedisClient): Promise<void> {
  if (client.status === 'ready') {
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    const hasQuit = client.quit().then(
      () => ended,
      () => undefined,
    );
    const answered = new AbortController();
    const late = sleep(QUIT_WITHIN_MS, undefined, answered).catch(() => {});
    await Promise.race([hasQuit, late]);
    answered.abort();
  }
  client.disconnect();
}

/** Runs short work on a connection of its own. @throws CodedError `redis_unreachable`. */
export async function withClient<T>(
  redisUrl: string,
  work: (client: RedisClient) => Promise<T>,
): Promise<T> {
  const client = createClient(redisUrl, { maxRetriesPerRequest: 1 });
  try {
    await connect(client);
    return await work(client);
  } finally {
    await disconnect(client);
  }
}

/** The answers of a pipeline or transaction; ioredis itself leaves failures in its result. */
export async function execute(commands: ChainableCommander): Promise<unknown[]> {
  const results = (await commands.exec()) ?? [];
  return results.map(([error, value]) => {
    if (error !== null) throw error;
    return value;
  });
}
