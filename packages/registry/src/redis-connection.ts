import { createHash } from 'node:crypto';
import { CodedError } from '@earshot/async';
import type { ChainableCommander } from 'ioredis';
import { Redis } from 'ioredis';

/** Connecting is tried this often before `ready` gives up: about a second altogether. */
const READY_ATTEMPTS = 5;
const COMMAND_TIMEOUT_MS = 5_000;

/** One connection that reconnects by itself, with errors that people can read. */
export class RedisConnection {
  readonly #client: Redis;
  #lastError: Error | undefined;

  /** @throws CodedError `redis_unreachable` when the address is none. */
  constructor(redisUrl: string) {
    this.#client = openClient(redisUrl);
    this.#client.on('error', (error: Error) => {
      this.#lastError = error;
    });
  }

  /** @throws CodedError `redis_unreachable` when the first connection does not come about. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      let attempts = 0;
      const settle = () => {
        this.#client.off('ready', onReady);
        this.#client.off('close', onClose);
        this.#client.off('end', onEnd);
      };
      const onReady = () => {
        settle();
        resolve();
      };
      const onClose = () => {
        attempts += 1;
        if (attempts >= READY_ATTEMPTS) onEnd();
      };
      const onEnd = () => {
        settle();
        reject(unreachable(this.#lastError));
      };
      if (this.#client.status === 'ready') return resolve();
      this.#client.on('ready', onReady);
      this.#client.on('close', onClose);
      this.#client.on('end', onEnd);
      if (this.#client.status === 'wait') this.#client.connect().catch(() => {});
    });
  }

  /**
   * Runs commands; what fails because of the connection becomes `redis_unreachable`. Whether
   * the commands took effect is then unknown.
   */
  async run<T>(commands: (client: Redis) => Promise<T>): Promise<T> {
    try {
      return await commands(this.#client);
    } catch (error) {
      if (error instanceof Error && error.name === 'ReplyError') throw error;
      if (error instanceof CodedError) throw error;
      throw unreachable(error);
    }
  }

  /** Another connection to the same Redis, for subscriptions; the caller's to disconnect. */
  subscriber(): Redis {
    const client = this.#client.duplicate({ maxRetriesPerRequest: null });
    client.on('error', (error: Error) => {
      this.#lastError = error;
    });
    return client;
  }

  /** Commands under way are answered first, unless Redis is away. */
  async close(): Promise<void> {
    if (this.#client.status === 'ready') {
      const ended = new Promise<void>((resolve) => this.#client.once('end', resolve));
      const hasQuit = await this.#client.quit().then(
        () => true,
        () => false,
      );
      if (hasQuit) await ended;
    }
    this.#client.disconnect();
  }
}

/** Sends a pipeline or transaction; ioredis itself leaves failures in its result. */
export async function execute(commands: ChainableCommander): Promise<void> {
  const results = await commands.exec();
  for (const [error] of results ?? []) if (error !== null) throw error;
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
    args: readonly (string | number | Buffer)[],
  ): Promise<unknown> {
    try {
      return await client.evalsha(this.#digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.eval(this.#text, keys.length, ...keys, ...args);
    }
  }
}

function openClient(redisUrl: string): Redis {
  try {
    return new Redis(redisUrl, {
      lazyConnect: true,
      // A command outlives a restart of Redis (some 2.5 s of trying), but not a long break.
      maxRetriesPerRequest: 6,
      commandTimeout: COMMAND_TIMEOUT_MS,
      retryStrategy: (attempt) => Math.min(25 * 2 ** attempt, 1_000),
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

function unreachable(cause: unknown): CodedError {
  const actual = cause instanceof Error ? cause.message : 'no connection';
  return new CodedError(
    'redis_unreachable',
    `Cannot use Redis: it must be reachable, got: ${actual || 'connection refused'}`,
    { cause, fix: 'Start Redis, or point REDIS_URL to it.' },
  );
}
