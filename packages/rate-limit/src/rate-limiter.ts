import type { RedisClient } from '@earshot/redis-client';
import { connect, createClient, disconnect } from '@earshot/redis-client';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { RateLimit } from './rate-limit.js';

export interface RateLimiterOptions {
  /** `redis://…`, `redis+cluster://…` or the absolute path of a Unix socket. */
  readonly redisUrl: string;
  /** Before every key. @defaultValue earshot */
  readonly prefix?: string;
  /** How long Redis may take to answer before this process counts alone, ms. @defaultValue 500 */
  readonly commandTimeoutMs?: number;
}

/** Whether one more is within its limit, and how it stands. */
export interface RateVerdict {
  readonly isAllowed: boolean;
  /** Left in this window. */
  readonly remaining: number;
  /** Until the next window, ms. */
  readonly resetMs: number;
}

/** Whoever waits for this is a request: rather count here alone than late. */
const COMMAND_TIMEOUT_MS = 500;

/**
 * Counts what is done, in Redis and so for all processes. While Redis is away or slow each process
 * counts by itself: nothing waits for it, and nothing goes unlimited.
 */
export class RateLimiter {
  readonly #client: RedisClient;
  readonly #prefix: string;
  readonly #limiters = new Map<string, RateLimiterRedis>();
  #closing: Promise<void> | undefined;

  /** @throws CodedError `redis_unreachable` when `redisUrl` is no address. */
  constructor(options: RateLimiterOptions) {
    const { redisUrl, prefix = 'earshot', commandTimeoutMs = COMMAND_TIMEOUT_MS } = options;
    this.#prefix = prefix;
    this.#client = createClient(redisUrl, {
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      commandTimeout: commandTimeoutMs,
    });
  }

  /** Connects. @throws CodedError `redis_unreachable`, after about a second of trying. */
  ready(): Promise<void> {
    return connect(this.#client);
  }

  /** Counts one more of `key` in `group`. Never throws. */
  async take(group: string, key: string, limit: RateLimit): Promise<RateVerdict> {
    try {
      return verdictOf(true, await this.#limiter(group, limit).consume(key));
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return verdictOf(false, refusal);
      throw refusal;
    }
  }

  /** Closes the connection; idempotent. */
  close(): Promise<void> {
    this.#closing ??= disconnect(this.#client);
    return this.#closing;
  }

  /** One for each limit of a group; limits come from the configuration, so they are few. */
  #limiter(group: string, { requests, windowS }: RateLimit): RateLimiterRedis {
    const name = `rate:${group}:${windowS}`;
    const id = `${name}:${requests}`;
    const known = this.#limiters.get(id);
    if (known !== undefined) return known;
    const options = { points: requests, duration: windowS, keyPrefix: `${this.#prefix}:${name}` };
    const limiter = new RateLimiterRedis({
      ...options,
      storeClient: this.#client,
      rejectIfRedisNotReady: true,
      // Those beyond their limit are told so without asking Redis again.
      inMemoryBlockOnConsumed: requests + 1,
      insuranceLimiter: new RateLimiterMemory(options),
    });
    this.#limiters.set(id, limiter);
    return limiter;
  }
}

function verdictOf(isAllowed: boolean, result: RateLimiterRes): RateVerdict {
  return {
    isAllowed,
    remaining: isAllowed ? Math.max(0, result.remainingPoints) : 0,
    resetMs: Math.max(0, result.msBeforeNext),
  };
}
