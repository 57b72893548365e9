import type { EarshotEvent } from './event.js';
import { parseEvent } from './event-schema.js';
import { connect, createClient, disconnect, LuaScript } from './redis.js';

export interface RecentEventsOptions {
  /** `redis://…` or the absolute path of a unix socket. */
  readonly redisUrl: string;
  /** Before every key. @defaultValue earshot */
  readonly prefix?: string;
  /** Newest events kept, of all calls together; about so many. @defaultValue 10 000 */
  readonly capacity?: number;
}

/** Events in the order in which they were appended, and where to go on. */
export interface RecentPage {
  readonly events: readonly EarshotEvent[];
  /** Opaque. */
  readonly cursor: string;
}

/** Older ones are gone when another comes, and all of them so long after the last one. */
const KEEP_MS = 3_600_000;

/** KEYS stream; ARGV event, about how many, KEEP_MS. Ids of entries begin with the time of Redis. */
const APPEND = new LuaScript(`
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'event', ARGV[1])
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[3]
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%d', oldest))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`);

const PAGE = 500;
/** Before every entry. */
const START = '0-0';

/**
 * The newest events of all calls, of the last hour, in one Redis stream, for whoever looks on: written by one
 * subscription, read by any number of processes, each at its own pace. Not a queue: what is not
 * read in time is gone.
 */
export class RecentEvents {
  readonly #client: ReturnType<typeof createClient>;
  readonly #blocking: ReturnType<typeof createClient>;
  readonly #key: string;
  readonly #capacity: number;

  constructor({ redisUrl, prefix = 'earshot', capacity = 10_000 }: RecentEventsOptions) {
    this.#client = createClient(redisUrl, { maxRetriesPerRequest: null });
    // A read that waits keeps its connection to itself.
    this.#blocking = createClient(redisUrl, { maxRetriesPerRequest: null });
    this.#key = `${prefix}:recent-events`;
    this.#capacity = capacity;
  }

  /** @throws CodedError `redis_unreachable`. */
  async ready(): Promise<void> {
    await Promise.all([connect(this.#client), connect(this.#blocking)]);
  }

  /** An event that is appended twice is there twice. Waits while Redis is away. */
  async append(event: EarshotEvent): Promise<void> {
    await APPEND.run(this.#client, [this.#key], [JSON.stringify(event), this.#capacity, KEEP_MS]);
  }

  /** The newest events, oldest first. Read in pages: parsing all at once would hold up others. */
  async newest(limit: number): Promise<RecentPage> {
    const pages: RecentPage[] = [];
    let end = '+';
    for (let left = limit; left > 0; left -= PAGE) {
      const count = Math.min(PAGE, left);
      const entries = await this.#client.xrevrange(this.#key, end, '-', 'COUNT', count);
      pages.unshift(pageOf(entries.toReversed(), START));
      if (entries.length < count) break;
      end = `(${entries.at(-1)?.[0]}`;
    }
    return {
      events: pages.flatMap(({ events }) => events),
      cursor: pages.at(-1)?.cursor ?? START,
    };
  }

  /** Events after those of a page; waits for one, for at most `waitMs` above 0. */
  async after(cursor: string, limit: number, waitMs: number): Promise<RecentPage> {
    const found = await this.#blocking.xread(
      ...(['COUNT', limit, 'BLOCK', waitMs, 'STREAMS', this.#key, cursor] as const),
    );
    return pageOf(found?.[0]?.[1] ?? [], cursor);
  }

  /** Whether events after `cursor` may have given way before they were read. */
  async hasMissed(cursor: string): Promise<boolean> {
    const [oldest] = await this.#client.xrange(this.#key, '-', '+', 'COUNT', 1);
    return oldest !== undefined && cursor !== START && isAfter(oldest[0], cursor);
  }

  /** A read that waits is cut. */
  async close(): Promise<void> {
    this.#blocking.disconnect();
    await disconnect(this.#client);
  }
}

/** Ids of a Redis stream are a time and a number. */
function isAfter(a: string, b: string): boolean {
  const [aMs = '', aNumber = ''] = a.split('-');
  const [bMs = '', bNumber = ''] = b.split('-');
  return Number(aMs) === Number(bMs)
    ? Number(aNumber) > Number(bNumber)
    : Number(aMs) > Number(bMs);
}

function pageOf(entries: readonly (readonly [string, readonly string[]])[], before: string) {
  return {
    events: entries.flatMap(([, fields]) => eventIn(fields)),
    cursor: entries.at(-1)?.[0] ?? before,
  };
}

/** A newer version may have appended what this one does not know. */
function eventIn(fields: readonly string[]): EarshotEvent[] {
  try {
    return [parseEvent(JSON.parse(fields[1] ?? ''))];
  } catch {
    return [];
  }
}
