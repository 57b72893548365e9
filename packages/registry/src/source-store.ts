import type { SourceOwners, SourceSpan } from '@earshot/call';
import { OPEN_TTL_MS } from './call-store.js';
import type { Keys } from './keys.js';
import type { RedisConnection } from './redis-connection.js';
import { execute } from './redis-connection.js';

/** Whose audio the sources of calls carry and carried: a hash per call, kept like its record. */
export class SourceStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Owners by source id; of sources that are not known, none. */
  async read(callId: string, sourceIds: readonly string[]): Promise<Map<string, SourceOwners>> {
    if (sourceIds.length === 0) return new Map();
    const texts = await this.#redis.run((client) =>
      client.hmget(this.#keys.sources(callId), ...sourceIds),
    );
    return new Map(sourceIds.map((id, index) => [id, ownersOf(texts[index] ?? null)]));
  }

  async write(callId: string, owners: ReadonlyMap<string, SourceOwners>): Promise<void> {
    if (owners.size === 0) return;
    const key = this.#keys.sources(callId);
    const fields = [...owners].flatMap(([sourceId, spans]) => [sourceId, JSON.stringify(spans)]);
    await this.#redis.run((client) =>
      execute(
        client
          .multi()
          .hset(key, ...fields)
          .pexpire(key, OPEN_TTL_MS),
      ),
    );
  }
}

function ownersOf(text: string | null): SourceOwners {
  const value: unknown = text === null ? [] : JSON.parse(text);
  if (Array.isArray(value)) return value.filter(isSpan);
  // One owner for all time, as older versions wrote it.
  return isOwner(value) ? [{ ...value, fromMs: 0 }] : [];
}

function isSpan(value: unknown): value is SourceSpan {
  return isOwner(value) && 'fromMs' in value && typeof value.fromMs === 'number';
}

function isOwner(value: unknown): value is { readonly participantId: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'participantId' in value &&
    typeof value.participantId === 'string'
  );
}
