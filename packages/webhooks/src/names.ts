/** Lanes of a webhook. All messages of a call go through one of them, in order. */
export const LANES = 4;

/** A lane rests while its count of jobs begun is at least this, beyond what it ever begins in 1 s. */
export const RESTING_COUNT = 1_000_000;

/** Names of everything this package keeps in Redis. What one script touches shares a hash tag. */
export class Names {
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Hash: id to JSON. */
  readonly webhooks = (): string => `${this.prefix}:{webhooks}:all`;
  /** Number, raised by every change of a webhook. */
  readonly revision = (): string => `${this.prefix}:{webhooks}:revision`;
  /** Key prefix of a webhook's queues. */
  readonly queuePrefix = (webhookId: string): string => `${this.prefix}:{${webhookId}}`;
  readonly queue = (lane: number): string => `webhook-deliveries-${lane}`;
  /** Hash: counts, and since when it fails. */
  readonly health = (webhookId: string): string => `${this.prefix}:{${webhookId}}:health`;
  /** Sorted set of delivery ids by sequence number. */
  readonly history = (webhookId: string): string => `${this.prefix}:{${webhookId}}:history`;
  readonly historySequence = (webhookId: string): string =>
    `${this.prefix}:{${webhookId}}:history-sequence`;
  /** Hash; the id is appended. */
  readonly deliveryPrefix = (webhookId: string): string =>
    `${this.prefix}:{${webhookId}}:delivery:`;
}

/** The lane of a message: FNV-1a over its call's id, or its own when it has none. */
export function laneOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return ((hash ^ (hash >>> 16)) >>> 0) % LANES;
}
