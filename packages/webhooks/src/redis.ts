import { CodedError } from '@earshot/async';
import type { RedisClient } from '@earshot/redis-client';
import { connectionError, createClient as openClient } from '@earshot/redis-client';

export type { RedisClient } from '@earshot/redis-client';
export { connect, disconnect, execute, LuaScript } from '@earshot/redis-client';

export interface ClientOptions {
  /** Commands wait while Redis is away; otherwise they fail after seconds. */
  readonly waits: boolean;
}

const COMMAND_TIMEOUT_MS = 5_000;

/** A client that connects on `connect`. @throws CodedError `redis_unreachable`: no address. */
export function createClient(redisUrl: string, { waits }: ClientOptions): RedisClient {
  return openClient(redisUrl, {
    maxRetriesPerRequest: waits ? null : 6,
    ...(waits ? {} : { commandTimeout: COMMAND_TIMEOUT_MS }),
  });
}

/** Runs commands; what fails because of the connection becomes `redis_unreachable`. */
export async function run<T>(commands: () => Promise<T>): Promise<T> {
  try {
    return await commands();
  } catch (error) {
    throw error instanceof CodedError ? error : connectionError(error);
  }
}
