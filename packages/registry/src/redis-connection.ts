import type { RedisClient, LuaScript as Script } from '@earshot/redis-client';
import {
  connect,
  connectionError,
  createClient,
  disconnect,
  minReplicasOf,
} from '@earshot/redis-client';

export { execute, LuaScript } from '@earshot/redis-client';

const COMMAND_TIMEOUT_MS = 5_000;

/** One connection that reconnects by itself, with errors that people can read. */
export class RedisConnection {
  readonly #redisUrl: string;
  readonly #client: RedisClient;
  readonly #minReplicas: number;

  /** @throws CodedError `redis_unreachable` when the address is none. */
  constructor(redisUrl: string) {
    this.#redisUrl = redisUrl;
    this.#minReplicas = minReplicasOf(redisUrl);
    this.#client = createClient(redisUrl, {
      // A command outlives a restart of Redis (some 2.5 s of trying), but not a long break.
      maxRetriesPerRequest: 6,
      commandTimeout: COMMAND_TIMEOUT_MS,
    });
  }

  /** @throws CodedError `redis_unreachable` when the first connection does not come about. */
  ready(): Promise<void> {
    return connect(this.#client);
  }

  /**
   * Runs commands; what fails because of the connection becomes `redis_unreachable`. Whether
   * the commands took effect is then unknown.
   */
  async run<T>(commands: (client: RedisClient) => Promise<T>): Promise<T> {
    try {
      return await commands(this.#client);
    } catch (error) {
      throw connectionError(error);
    }
  }

  /**
   * Runs a script whose effect must outlive the server that ran it: as many replicas have it as the
   * address asks for.
   *
   * @throws CodedError `not_replicated`; it was done all the same, and may last.
   */
  runReplicated(
    script: Script,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.run((client) => script.runReplicated(client, keys, args, this.#minReplicas));
  }

  /** Another connection to the same Redis, for subscriptions; the caller's to disconnect. */
  subscriber(): RedisClient {
    return createClient(this.#redisUrl, { maxRetriesPerRequest: null });
  }

  /** Commands under way are answered first, unless Redis is away. */
  close(): Promise<void> {
    return disconnect(this.#client);
  }
}
