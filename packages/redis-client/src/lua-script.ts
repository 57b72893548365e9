import { createHash } from 'node:crypto';
import { CodedError } from '@earshot/async';
import type { RedisClient } from './client.js';

/** A replica that is well answers within a few ms. */
const REPLICATION_TIMEOUT_MS = 1_000;

/** A Lua script, sent once to each server and then called by its digest. */
export class LuaScript {
  readonly #text: string;
  readonly #digest: string;

  constructor(text: string) {
    this.#text = text;
    this.#digest = createHash('sha1').update(text).digest('hex');
  }

  /** @param keys all of one slot; the first decides which server of a cluster runs it. */
  async run(
    client: RedisClient,
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

  /**
   * As `run`, and waits until replicas have what the script wrote; it must write something. Only
   * then does the death of a master not undo it.
   *
   * @throws CodedError `not_replicated`; it was done all the same, and may last.
   */
  async runReplicated(
    client: RedisClient,
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
    minReplicas: number,
  ): Promise<unknown> {
    if (minReplicas === 0) return this.run(client, keys, args);
    const [[error, reply] = [], [waitError, replicas] = []] = await this.#sendAndWait(
      client,
      'evalsha',
      keys,
      args,
      minReplicas,
    );
    if (error || waitError) throw error ?? waitError;
    if (Number(replicas) >= minReplicas) return reply;
    throw new CodedError(
      'not_replicated',
      `Cannot be sure of what was written: ${minReplicas} replicas must have it within ${REPLICATION_TIMEOUT_MS} ms, got ${replicas}`,
      { fix: 'Look after the replicas of the cluster, or lower minReplicas in REDIS_URL.' },
    );
  }

  async #sendAndWait(
    client: RedisClient,
    command: 'evalsha' | 'eval',
    keys: readonly string[],
    args: readonly (string | number | Buffer)[],
    minReplicas: number,
  ): Promise<Results> {
    const script = command === 'eval' ? this.#text : this.#digest;
    const send = async (): Promise<Results> => {
      // In one pipeline: what counts are the writes of the connection that waits.
      const pipeline = client.pipeline();
      pipeline[command](script, keys.length, ...keys, ...args);
      return (await pipeline.wait(minReplicas, REPLICATION_TIMEOUT_MS).exec()) ?? [];
    };
    let results = await send();
    if (answerOf(results).startsWith('MOVED')) {
      // A pipeline does not follow the slot to its new master; a command does, and remembers.
      await client.exists(keys[0] ?? '');
      results = await send();
    }
    const isUnknown = command === 'evalsha' && answerOf(results).startsWith('NOSCRIPT');
    return isUnknown ? this.#sendAndWait(client, 'eval', keys, args, minReplicas) : results;
  }
}

type Results = readonly (readonly [Error | null, unknown])[];

/** What the first command failed with, if it did. */
function answerOf([first]: Results): string {
  return first?.[0]?.message ?? '';
}
