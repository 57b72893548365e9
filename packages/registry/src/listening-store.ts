import type { ListeningChange, ListeningSettings } from '@earshot/listening';
import { parseListeningSettings, withListeningChange } from '@earshot/listening';
import { OPEN_TTL_MS } from './call-store.js';
import type { Keys } from './keys.js';
import type { RedisConnection } from './redis-connection.js';
import { LuaScript } from './redis-connection.js';

const PARTS = ['tones', 'collect', 'phrases', 'dictation'] as const;

/** Two who change different parts at once both have their way. */
const CHANGE = new LuaScript(`
local ttl, count = ARGV[1], tonumber(ARGV[2])
for n = 0, count - 1 do
  local part, change, initial = ARGV[3 + n * 3], ARGV[4 + n * 3], ARGV[5 + n * 3]
  if change ~= '' then redis.call('HSET', KEYS[1], part, change)
  else redis.call('HSETNX', KEYS[1], part, initial) end
end
redis.call('PEXPIRE', KEYS[1], ttl)
return redis.call('HGETALL', KEYS[1])`);

/** What is listened for in calls. */
export class ListeningStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** See `Registry.listening`. */
  async read(callId: string): Promise<ListeningSettings | undefined> {
    const stored = await this.#redis.run((client) => client.hgetall(this.#keys.listening(callId)));
    return parseStored(stored);
  }

  /** See `Registry.setListening`. */
  async change(
    callId: string,
    change: ListeningChange,
    initial: ListeningSettings,
  ): Promise<ListeningSettings> {
    const parts = PARTS.flatMap((part) => {
      const wanted = change[part];
      const text = wanted === undefined ? '' : JSON.stringify(wanted);
      return [part, text, JSON.stringify(initial[part])];
    });
    const args = [OPEN_TTL_MS, PARTS.length, ...parts];
    const stored = await this.#redis.run((client) =>
      CHANGE.run(client, [this.#keys.listening(callId)], args),
    );
    await this.#wake(callId);
    return parseStored(pairsOf(stored)) ?? withListeningChange(initial, change);
  }

  /** Never fails: what it tells of is stored, and workers also look by themselves, seconds later. */
  async #wake(callId: string): Promise<void> {
    await this.#redis
      .run((client) => client.publish(this.#keys.listeningWakes(), callId))
      .catch(() => {});
  }
}

/** Fields and values in turn, as a script gives them. */
function pairsOf(reply: unknown): Record<string, string> {
  const pairs: Record<string, string> = {};
  if (!Array.isArray(reply)) return pairs;
  for (let n = 0; n + 1 < reply.length; n += 2) pairs[String(reply[n])] = String(reply[n + 1]);
  return pairs;
}

/** Undefined also for what some other version stored and this one cannot read. */
function parseStored(stored: Readonly<Record<string, string>>): ListeningSettings | undefined {
  if (Object.keys(stored).length === 0) return undefined;
  try {
    const parts = Object.entries(stored).map(([part, text]) => [part, JSON.parse(text) as unknown]);
    return parseListeningSettings(Object.fromEntries(parts));
  } catch {
    return undefined;
  }
}
