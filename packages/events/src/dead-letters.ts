import { CodedError } from '@earshot/async';
import { GATE_ALLOWS_LUA } from '@earshot/recording-gate';
import { contentOf, errorWithoutContent, fieldsOf, withoutContent } from './letter-content.js';
import type { Names } from './names.js';
import type { RedisClient } from './redis.js';
import { LuaScript } from './redis.js';

const MAX_LETTERS = 10_000;
const TTL_MS = 7 * 24 * 3_600_000;
const MAX_ERROR_CHARS = 1_000;
const MAX_STACK_CHARS = 4_000;
const PAGE = 500;

/** KEYS letters; ARGV most, TTL ms, letter. Returns 0 when there are as many as may be. */
const ADD = new LuaScript(`
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'letter', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/** KEYS recording gate; ARGV since when it must have been open, Unix ms. */
const MAY_KEEP = new LuaScript(`${GATE_ALLOWS_LUA}
return gate_allows(KEYS[1], tonumber(ARGV[1])) and 1 or 0`);

/** An event that could not be handled. */
export interface DeadLetter {
  /** Grows with time within the subscription. */
  readonly id: string;
  /** ISO 8601, by the clock of Redis. */
  readonly failedAt: string;
  /** What its handler threw last. */
  readonly error: string;
  readonly stack?: string | undefined;
  /** As it came, not necessarily a valid event; when content is withheld, only which one it is. */
  readonly event: unknown;
  /**
   * Size of the event, as JSON, when it told what somebody said or keyed and its call's recording gate
   * was not open: nothing of that was kept, so that the letter can't be replayed.
   */
  readonly withheldBytes?: number | undefined;
}

/** Which letters; those that all of these fit. Without any, all of them. */
export interface DeadLetterFilter {
  readonly ids?: readonly string[] | undefined;
  readonly type?: string | undefined;
  readonly callId?: string | undefined;
}

export interface DeadLetterQuery extends DeadLetterFilter {
  /** @defaultValue 100 */
  readonly limit?: number | undefined;
  /** Only letters older than this one: the `next` of the page before. */
  readonly before?: string | undefined;
}

export interface DeadLetterPage {
  /** Newest first. */
  readonly letters: readonly DeadLetter[];
  /** For the next page; null when this is the last one. */
  readonly next: string | null;
}

/** The dead letters of one subscription: a Redis stream, bounded in number and time. */
export class DeadLetters {
  readonly #client: RedisClient;
  readonly #names: Names;
  readonly #key: string;
  readonly #maxLetters: number;

  /** @param maxLetters `refuse` beyond. @defaultValue 10 000 */
  constructor(
    client: RedisClient,
    names: Names,
    subscription: string,
    maxLetters: number = MAX_LETTERS,
  ) {
    this.#client = client;
    this.#names = names;
    this.#key = names.deadLetters(subscription);
    this.#maxLetters = maxLetters;
  }

  /**
   * Keeps the event; of one that tells what somebody said or keyed no more than which it is, unless its
   * call may be recorded.
   *
   * @throws CodedError `dead_letters_full`: none gives way to another, for each is an event lost.
   */
  async add(event: unknown, error: unknown): Promise<void> {
    const letter = JSON.stringify(
      (await this.#mayKeep(event)) ? { ...describe(error), event } : withheld(event, error),
    );
    const added = await ADD.run(this.#client, [this.#key], [this.#maxLetters, TTL_MS, letter]);
    if (added === 1) return;
    throw new CodedError(
      'dead_letters_full',
      `Cannot set the event aside: there may be ${this.#maxLetters} dead letters, got one more`,
      { fix: 'Find out why the handler fails, then replay or drop the dead letters.' },
    );
  }

  count(): Promise<number> {
    return this.#client.xlen(this.#key);
  }

  /** @throws CodedError `invalid_dead_letter_id`. */
  async page(query: DeadLetterQuery): Promise<DeadLetterPage> {
    const limit = query.limit ?? 100;
    const letters: DeadLetter[] = [];
    let end = query.before === undefined ? '+' : `(${checkId(query.before)}`;
    for (;;) {
      const some = await this.#newestFirst(end);
      for (const letter of some) {
        if (!fits(letter, query)) continue;
        if (letters.length === limit) return { letters, next: letters.at(-1)?.id ?? null };
        letters.push(letter);
      }
      const last = some.at(-1);
      if (last === undefined || some.length < PAGE) return { letters, next: null };
      end = `(${last.id}`;
    }
  }

  /** Those that are there at the beginning, oldest first. */
  async *oldestFirst(filter: DeadLetterFilter): AsyncGenerator<DeadLetter> {
    const [newest] = await this.#client.xrevrange(this.#key, '+', '-', 'COUNT', 1);
    if (newest === undefined) return;
    let start = '-';
    for (;;) {
      const entries = await this.#client.xrange(this.#key, start, newest[0], 'COUNT', PAGE);
      const letters = entries.map(letterOf);
      for (const letter of letters) if (fits(letter, filter)) yield letter;
      const last = letters.at(-1);
      if (last === undefined || letters.length < PAGE) return;
      start = `(${last.id}`;
    }
  }

  /** @throws CodedError `invalid_dead_letter_id`. */
  async get(id: string): Promise<DeadLetter | undefined> {
    const [entry] = await this.#client.xrange(this.#key, checkId(id), id);
    return entry === undefined ? undefined : letterOf(entry);
  }

  /** @returns whether it was there. */
  async remove(id: string): Promise<boolean> {
    return (await this.#client.xdel(this.#key, id)) === 1;
  }

  async clear(): Promise<void> {
    await this.#client.del(this.#key);
  }

  async #mayKeep(event: unknown): Promise<boolean> {
    const content = contentOf(event);
    if (content === undefined) return true;
    const { callId, beganAtMs } = content;
    if (callId === undefined) return false;
    const key = this.#names.recordingGate(callId);
    return (await MAY_KEEP.run(this.#client, [key], [beganAtMs])) === 1;
  }

  async #newestFirst(end: string): Promise<DeadLetter[]> {
    const entries = await this.#client.xrevrange(this.#key, end, '-', 'COUNT', PAGE);
    return entries.map(letterOf);
  }
}

function letterOf([id, fields]: [string, string[]]): DeadLetter {
  const letter: Record<string, unknown> = JSON.parse(fields[1] ?? '{}');
  const { error, stack, event, withheldBytes } = letter;
  return {
    id,
    failedAt: new Date(Number.parseInt(id, 10)).toISOString(),
    error: String(error),
    ...(typeof stack === 'string' && { stack }),
    event,
    ...(typeof withheldBytes === 'number' && { withheldBytes }),
  };
}

function fits({ id, event }: DeadLetter, { ids, type, callId }: DeadLetterFilter): boolean {
  if (ids !== undefined && !ids.includes(id)) return false;
  const own = fieldsOf(event);
  if (type !== undefined && own['type'] !== type) return false;
  return callId === undefined || own['callId'] === callId;
}

function withheld(event: unknown, error: unknown) {
  const { error: kind, stack } = errorWithoutContent(error);
  return {
    error: kind,
    ...(stack !== undefined && { stack: stack.slice(0, MAX_STACK_CHARS) }),
    event: withoutContent(event),
    withheldBytes: Buffer.byteLength(JSON.stringify(event) ?? ''),
  };
}

function describe(error: unknown): { error: string; stack?: string } {
  if (!(error instanceof Error)) return { error: String(error).slice(0, MAX_ERROR_CHARS) };
  return {
    error: error.message.slice(0, MAX_ERROR_CHARS),
    ...(error.stack !== undefined && { stack: error.stack.slice(0, MAX_STACK_CHARS) }),
  };
}

function checkId(id: string): string {
  if (/^\d{1,19}-\d{1,19}$/.test(id)) return id;
  throw new CodedError(
    'invalid_dead_letter_id',
    'Cannot find the dead letter: its id must be of the form 1764168000000-0, got another text',
  );
}
