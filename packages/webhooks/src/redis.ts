import { createHash } from 'node:crypto';
import { CodedError } from '@earshot/async';
import type { ChainableCommander } from 'ioredis';
import { Redis } from 'ioredis';

export interface ClientOptions {
  /** Commands wait while Redis is away; otherwise they fail after seconds. */
  readonly waits: boolean;
}

const COMMAND_TIMEOUT_MS = 5_000;

/** Connecting is tried this often before `connect` gives up: about a second altogether. */
const CONNECT_ATTEMPTS = 5;

/**
 * A client that connects on `connect` and reconnects by itself.
 *
 * @throws CodedError `redis_unreachable` when the address is none.
 */
export function createClient(redisUrl: string, options: ClientOptions): Redis {
  const client = openClient(redisUrl, options);
  client.on('error', () => {});
  return client;
}

/** @throws CodedError `redis_unreachable` when the first connection does not come about. */
export function connect(client: Redis): Promise<void> {
  return new Promise((resolve, reject) => {
    let attempts = 0;
    const settle = () => {
      client.off('ready', onReady).off('close', onClose).off('end', onEnd);
    };
    const onReady = () => {
      settle();
      resolve();
    };
    const onClose = () => {
      attempts += 1;
      if (attempts >= CONNECT_ATTEMPTS) onEnd();
    };
    const onEnd = () => {
      settle();
      reject(unreachable('it must be reachable, got no connection'));
    };
    if (client.status === 'ready') return resolve();
    client.on('ready', onReady).on('close', onClose).on('end', onEnd);
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

/** Runs commands; what fails because of the connection becomes `redis_unreachable`. */
export async function run<T>(commands: () => Promise<T>): Promise<T> {
  try {
    return await commands();
  } catch (error) {
    if (error instanceof CodedError) throw error;
    if (error instanceof Error && error.name === 'ReplyError') throw error;
    throw unreachable('it must answer, got no answer');
  }
}

/** Sends a pipeline or transaction; ioredis itself leaves failures in its result. */
export async function execute(commands: ChainableCommander): Promise<unknown[]> {
  const results = (await commands.exec()) ?? [];
  return results.map(([error, value]) => {
    if (error !== null) throw error;
    return value;
  });
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

function openClient(redisUrl: string, { waits }: ClientOptions): Redis {
  try {
    return new Redis(redisUrl, {
      lazyConnect: true,
      maxRetriesPerRequest: waits ? null : 6,
      ...(waits ? {} : { commandTimeout: COMMAND_TIMEOUT_MS }),
      retryStrategy: (attempt) => Math.min(25 * 2 ** attempt, 1_000),
    });
  } catch {
    // The error quotes the address, which may hold a password.
    throw unreachable(
      'its address must be redis://host:port or the path of a unix socket, got another text',
    );
  }
}

function unreachable(rule: string): CodedError {
  return new CodedError('redis_unreachable', `Cannot use Redis: ${rule}`, {
    fix: 'Start Redis, or point REDIS_URL to it.',
  });
}
