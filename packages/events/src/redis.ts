import { createHash } from 'node:crypto';
import { CodedError } from '@earshot/async';
import { Redis } from 'ioredis';

/** Connecting is tried this often before `connect` gives up: about a second altogether. */
const CONNECT_ATTEMPTS = 5;

export interface ClientOptions {
  /** Reconnections a command outlives; null for all. */
  readonly maxRetriesPerRequest: number | null;
  /** False when commands are to fail at once while Redis is away. */
  readonly enableOfflineQueue?: boolean;
  /** In ms. */
  readonly commandTimeout?: number;
}

/**
 * A client that connects on `connect` and reconnects by itself; its errors need no listener.
 *
 * @throws CodedError `redis_unreachable` when the address is none.
 */
export function createClient(redisUrl: string, options: ClientOptions): Redis {
  const client = openClient(redisUrl, options);
  client.on('error', () => {});
  return client;
}

function openClient(redisUrl: string, options: ClientOptions): Redis {
  try {
    return new Redis(redisUrl, {
      lazyConnect: true,
      retryStrategy: (attempt) => Math.min(25 * 2 ** attempt, 1_000),
      ...options,
    });
  } catch {
    // The error quotes the address, which may hold a password.
    throw new CodedError(
      'redis_unreachable',
      'Cannot use Redis: its address must be redis://host:port or the path of a unix socket, got another text',
      { fix: 'Correct REDIS_URL.' },
    );
  }
}

/** @throws CodedError `redis_unreachable` when the first connection does not come about. */
export function connect(client: Redis): Promise<void> {
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
export async function disconnect(client: Redis): Promise<void> {
  if (client.status === 'ready') {
    const ended = new Promise<void>((resolve) => client.once('end', resolve));
    const hasQuit = await client.quit().then(
      () => true,
      () => false,
    );
    if (hasQuit) await ended;
  }
  client.disconnect();
}

/** Runs short work on a connection of its own. @throws CodedError `redis_unreachable`. */
export async function withClient<T>(
  redisUrl: string,
  work: (client: Redis) => Promise<T>,
): Promise<T> {
  const client = createClient(redisUrl, { maxRetriesPerRequest: 1 });
  try {
    await connect(client);
    return await work(client);
  } finally {
    await disconnect(client);
  }
}

/** A Lua script, sent once and then called by its digest. */
export class LuaScript {
  readonly #text: string;
  readonly #digest: string;

  constructor(text: string) {
    this.#text = text;
    this.#digest = createHash('sha1').update(text).digest('hex');
  }

  async run(
    client: Redis,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await client.evalsha(this.#digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.eval(this.#text, keys.length, ...keys, ...args);
    }
  }
}

/** What failed because of the connection, as an error that people can read. */
export function connectionError(error: unknown): unknown {
  if (error instanceof CodedError) return error;
  return error instanceof Error && error.name === 'ReplyError' ? error : unreachable(error);
}

function unreachable(cause: unknown): CodedError {
  const actual = cause instanceof Error ? cause.message : 'no connection';
  return new CodedError(
    'redis_unreachable',
    `Cannot use Redis: it must be reachable, got: ${actual || 'connection refused'}`,
    { cause, fix: 'Start Redis, or point REDIS_URL to it.' },
  );
}
