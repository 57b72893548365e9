import type { Names } from './names.js';
import type { RedisClient } from './redis.js';
import { LuaScript, run } from './redis.js';
import type { Delivery, DeliveryStatus, WebhookMessage } from './webhook.js';

export interface HistoryLimits {
  /** Newest deliveries kept per webhook. */
  readonly maxDeliveries: number;
  readonly keepMs: number;
}

/**
 * KEYS history, sequence; ARGV delivery prefix, id, most, keepMs, field, value, …
 * Returns the status it has already, or nil when it is new.
 */
const OPEN = new LuaScript(`
local key = ARGV[1] .. ARGV[2]
local status = redis.call('HGET', key, 'status')
if status then return status end
redis.call('HSET', key, unpack(ARGV, 5))
redis.call('PEXPIRE', key, ARGV[4])
redis.call('ZADD', KEYS[1], redis.call('INCR', KEYS[2]), ARGV[2])
local extra = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[3])
if extra > 0 then
  for _, id in ipairs(redis.call('ZPOPMIN', KEYS[1], extra)) do
    redis.call('DEL', ARGV[1] .. id)
  end
end
return nil`);

/** KEYS delivery; ARGV attempts more, field, value, …; what is forgotten stays so. */
const NOTE = new LuaScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], 'attempts', ARGV[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1`);

/** KEYS history; ARGV delivery prefix, now. Those that wait are given up; returns how many. */
const DROP_PENDING = new LuaScript(`
local count = 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local key = ARGV[1] .. id
  if redis.call('HGET', key, 'status') == 'pending' then
    redis.call('HSET', key, 'status', 'dropped', 'error', 'webhook_disabled', 'nextAttemptAtMs', '',
      'updatedAtMs', ARGV[2])
    count = count + 1
  end
end
return count`);

/** What is new about a delivery; fields that are not named stay. */
export interface DeliveryNews {
  readonly status: DeliveryStatus;
  readonly atMs: number;
  /** Present when an attempt was made. */
  readonly attempt?: {
    readonly responseStatus: number | undefined;
    readonly durationMs: number;
    readonly nextAttemptAtMs: number | undefined;
  };
  readonly error?: string | undefined;
}

/** What became of the deliveries of each webhook: the newest, for a while. */
export class DeliveryHistory {
  readonly #client: RedisClient;
  readonly #names: Names;
  readonly #limits: HistoryLimits;

  constructor(client: RedisClient, names: Names, limits: HistoryLimits) {
    this.#client = client;
    this.#names = names;
    this.#limits = limits;
  }

  /**
   * Enters a delivery, once.
   *
   * @param body kept for `redeliver`; never listed. Empty for what must not be kept.
   * @returns the status of one that is there already.
   */
  async open(
    webhookId: string,
    delivery: { readonly id: string; readonly message: WebhookMessage; readonly body: string },
    atMs: number,
    status: DeliveryStatus = 'pending',
    error = '',
  ): Promise<string | undefined> {
    const { id, message, body } = delivery;
    const { maxDeliveries, keepMs } = this.#limits;
    const found = await OPEN.run(
      this.#client,
      [this.#names.history(webhookId), this.#names.historySequence(webhookId)],
      [
        ...[this.#names.deliveryPrefix(webhookId), id, maxDeliveries, keepMs],
        ...['id', id, 'eventId', message.id, 'type', message.type],
        ...['callId', message.callId ?? '', 'status', status, 'attempts', 0, 'error', error],
        ...['createdAtMs', atMs, 'updatedAtMs', atMs, 'body', body],
      ],
    );
    return typeof found === 'string' ? found : undefined;
  }

  async note(webhookId: string, deliveryId: string, news: DeliveryNews): Promise<void> {
    const { attempt } = news;
    const fields: (string | number)[] = [
      ...['status', news.status, 'updatedAtMs', news.atMs, 'error', news.error ?? ''],
      ...['nextAttemptAtMs', attempt?.nextAttemptAtMs ?? ''],
    ];
    if (attempt !== undefined) {
      fields.push('responseStatus', attempt.responseStatus ?? '');
      fields.push('durationMs', Math.round(attempt.durationMs));
    }
    const key = this.#names.deliveryPrefix(webhookId) + deliveryId;
    await NOTE.run(this.#client, [key], [attempt === undefined ? 0 : 1, ...fields]);
  }

  /** Newest first. @throws CodedError `redis_unreachable`. */
  async list(
    webhookId: string,
    { limit, before }: { limit: number; before?: number | undefined },
  ): Promise<{ deliveries: Delivery[]; next: number | undefined }> {
    const key = this.#names.history(webhookId);
    const from = before === undefined ? '+inf' : `(${before}`;
    const found = await run(() =>
      this.#client.zrevrangebyscore(key, from, '-inf', 'WITHSCORES', 'LIMIT', 0, limit + 1),
    );
    // Flat in RESP2, pairs in RESP3.
    const entries = pairs(found.flat().map(String));
    const page = entries.slice(0, limit);
    const read = await Promise.all(page.map(([id]) => this.find(webhookId, id)));
    const last = page.at(-1);
    return {
      deliveries: read.filter((delivery) => delivery !== undefined),
      next: entries.length > limit && last !== undefined ? Number(last[1]) : undefined,
    };
  }

  async find(webhookId: string, deliveryId: string): Promise<Delivery | undefined> {
    const fields = await run(() => this.#client.hmget(this.#key(webhookId, deliveryId), ...FIELDS));
    return deliveryOf(fields);
  }

  async bodyOf(webhookId: string, deliveryId: string): Promise<string | undefined> {
    const body = await run(() => this.#client.hget(this.#key(webhookId, deliveryId), 'body'));
    return body ?? undefined;
  }

  /** The webhook was turned off: what waits is given up. Returns how many are known of. */
  async dropPending(webhookId: string, atMs: number): Promise<number> {
    const keys = [this.#names.history(webhookId)];
    const args = [this.#names.deliveryPrefix(webhookId), atMs];
    return Number(await DROP_PENDING.run(this.#client, keys, args));
  }

  /** Forgets everything of a webhook. */
  async remove(webhookId: string): Promise<void> {
    const key = this.#names.history(webhookId);
    const ids = await run(() => this.#client.zrange(key, '0', '-1'));
    const keys = ids.map((id) => this.#key(webhookId, id));
    await run(() => this.#client.del(key, this.#names.historySequence(webhookId), ...keys));
  }

  #key(webhookId: string, deliveryId: string): string {
    return this.#names.deliveryPrefix(webhookId) + deliveryId;
  }
}

const FIELDS = [
  ...(['id', 'eventId', 'type', 'callId', 'status', 'attempts', 'createdAtMs'] as const),
  ...(['updatedAtMs', 'nextAttemptAtMs', 'responseStatus', 'durationMs', 'error'] as const),
];

function deliveryOf(values: readonly (string | null)[]): Delivery | undefined {
  const [id, eventId, type, callId, status, attempts, createdAtMs, updatedAtMs, ...last] = values;
  const [nextAttemptAtMs, responseStatus, durationMs, error] = last;
  if (!id || !isStatus(status)) return undefined;
  return {
    id,
    eventId: eventId ?? '',
    type: type ?? '',
    callId: callId || undefined,
    status,
    attempts: Number(attempts),
    createdAtMs: Number(createdAtMs),
    updatedAtMs: Number(updatedAtMs),
    nextAttemptAtMs: numberOf(nextAttemptAtMs),
    responseStatus: numberOf(responseStatus),
    durationMs: numberOf(durationMs),
    error: error || undefined,
  };
}

function numberOf(text: string | null | undefined): number | undefined {
  return text ? Number(text) : undefined;
}

function isStatus(text: string | null | undefined): text is DeliveryStatus {
  return ['pending', 'delivered', 'failed', 'dropped', 'disabled'].includes(text ?? '');
}

function pairs(flat: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) found.push([flat[i] ?? '', flat[i + 1] ?? '']);
  return found;
}
