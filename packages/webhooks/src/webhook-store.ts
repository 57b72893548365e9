import { CodedError } from '@earshot/async';
import type { Names } from './names.js';
import type { RedisClient } from './redis.js';
import { execute, LuaScript, run } from './redis.js';
import type { Webhook, WebhookHealth } from './webhook.js';

/** KEYS all, revision; ARGV id, json, most. Returns 0 when there are as many as may be. */
const ADD = new LuaScript(`
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('INCR', KEYS[2])
return 1`);

/** KEYS all, revision; ARGV id, expected json, new json. Returns 0 when it has changed. */
const REPLACE = new LuaScript(`
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('INCR', KEYS[2])
return 1`);

/** All webhooks, at one revision. */
export interface WebhookSet {
  readonly revision: string;
  readonly webhooks: ReadonlyMap<string, Webhook>;
}

/** The webhooks in Redis. Every change raises a revision that all processes watch. */
export class WebhookStore {
  readonly #client: RedisClient;
  readonly #names: Names;

  constructor(client: RedisClient, names: Names) {
    this.#client = client;
    this.#names = names;
  }

  /** @throws CodedError `too_many_webhooks`. */
  async add(webhook: Webhook, maxWebhooks: number): Promise<void> {
    const args = [webhook.id, JSON.stringify(webhook), maxWebhooks];
    const added = await run(() => ADD.run(this.#client, this.#keys(), args));
    if (added === 1) return;
    throw new CodedError(
      'too_many_webhooks',
      `Cannot add the webhook: there may be ${maxWebhooks}, got one more`,
      { fix: 'Remove one that is not needed.' },
    );
  }

  async find(id: string): Promise<Webhook | undefined> {
    const text = await run(() => this.#client.hget(this.#names.webhooks(), id));
    return text === null ? undefined : parse(text);
  }

  /** The revision is read first: at worst the set is newer than it says. */
  async all(): Promise<WebhookSet> {
    const revision = await this.revision();
    const texts = await run(() => this.#client.hgetall(this.#names.webhooks()));
    const webhooks = Object.values(texts).map(parse);
    return { revision, webhooks: new Map(webhooks.map((webhook) => [webhook.id, webhook])) };
  }

  async revision(): Promise<string> {
    return (await run(() => this.#client.get(this.#names.revision()))) ?? '0';
  }

  /** Changes a webhook, again when another process was first. Undefined when there is none. */
  async update(id: string, change: (webhook: Webhook) => Webhook): Promise<Webhook | undefined> {
    for (;;) {
      const text = await run(() => this.#client.hget(this.#names.webhooks(), id));
      if (text === null) return undefined;
      const before = parse(text);
      const after = change(before);
      if (after === before) return before;
      const args = [id, text, JSON.stringify(after)];
      const replaced = await run(() => REPLACE.run(this.#client, this.#keys(), args));
      if (replaced === 1) return after;
    }
  }

  /** False when there was none. */
  async remove(id: string): Promise<boolean> {
    const transaction = this.#client
      .multi()
      .hdel(this.#names.webhooks(), id)
      .incr(this.#names.revision());
    const [removed] = await run(() => execute(transaction));
    return removed === 1;
  }

  /** Clears away how a removed webhook did. */
  async forgetHealth(id: string): Promise<void> {
    await run(() => this.#client.del(this.#names.health(id)));
  }

  async health(id: string): Promise<WebhookHealth> {
    const fields = await run(() => this.#client.hgetall(this.#names.health(id)));
    const number = (name: string): number => Number(fields[name] ?? 0);
    const since = fields['failingSinceMs'];
    return {
      delivered: number('delivered'),
      failed: number('failed'),
      dropped: number('dropped'),
      failingSinceMs: since === undefined ? undefined : Number(since),
    };
  }

  /** A delivery arrived: whatever failed before, it is well. */
  async noteSuccess(id: string): Promise<void> {
    const key = this.#names.health(id);
    await execute(
      this.#client
        .pipeline()
        .hincrby(key, 'delivered', 1)
        .hdel(key, 'failingSinceMs', 'failuresInARow'),
    );
  }

  /** An attempt failed. Tells how long that has been going on. */
  async noteFailure(
    id: string,
    wallclockMs: number,
  ): Promise<{ failuresInARow: number; failingSinceMs: number }> {
    const key = this.#names.health(id);
    const [failures, , since] = await execute(
      this.#client
        .multi()
        .hincrby(key, 'failuresInARow', 1)
        .hsetnx(key, 'failingSinceMs', wallclockMs)
        .hget(key, 'failingSinceMs'),
    );
    return { failuresInARow: Number(failures), failingSinceMs: Number(since) };
  }

  /** A delivery was tried for the last time, in vain. */
  async noteFailed(id: string): Promise<void> {
    await this.#client.hincrby(this.#names.health(id), 'failed', 1);
  }

  async noteDropped(id: string, count: number): Promise<void> {
    await this.#client.hincrby(this.#names.health(id), 'dropped', count);
  }

  /** It is turned on again: the past doesn't count. */
  async forgiveFailures(id: string): Promise<void> {
    await run(() => this.#client.hdel(this.#names.health(id), 'failingSinceMs', 'failuresInARow'));
  }

  #keys(): string[] {
    return [this.#names.webhooks(), this.#names.revision()];
  }
}

/** Only this class writes there. */
function parse(text: string): Webhook {
  return JSON.parse(text);
}
