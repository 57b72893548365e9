import type { RecordingPermit } from '@earshot/recording-gate';
import { GATE_ALLOWS_LUA, PermittedWriter } from '@earshot/recording-gate';
import type { TranscriptEvent } from '@earshot/transcript';
import type { Keys } from './keys.js';
import type { RedisConnection } from './redis-connection.js';
import { LuaScript } from './redis-connection.js';

/** What is kept of one call; the oldest gives way beyond. */
export const MAX_KEPT_EVENTS = 10_000;
const MAX_KEPT_BYTES = 32 * 1024 * 1024;
const PAGE = 1000;

/**
 * Looks at the gate in the moment of writing: what was sent while it was open may arrive when it no
 * longer is. What was spoken before it opened is not written either.
 */
const KEEP = new LuaScript(`${GATE_ALLOWS_LUA}
if not gate_allows(KEYS[1], tonumber(ARGV[2])) then return -1 end
redis.call('RPUSH', KEYS[2], ARGV[1])
local bytes = redis.call('HINCRBY', KEYS[3], 'bytes', #ARGV[1])
local length, dropped = redis.call('LLEN', KEYS[2]), 0
while length > tonumber(ARGV[4]) or (bytes > tonumber(ARGV[5]) and length > 1) do
  bytes = redis.call('HINCRBY', KEYS[3], 'bytes', -#redis.call('LPOP', KEYS[2]))
  length, dropped = length - 1, dropped + 1
end
if dropped > 0 then redis.call('HINCRBY', KEYS[3], 'dropped', dropped) end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return dropped`);

const COUNT_NOT_KEPT = new LuaScript(`
local count = redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return count`);

/** What became of an event that was to be kept. */
export interface Kept {
  /** False when the gate was closed, or not yet open when it was spoken. */
  readonly isKept: boolean;
  /** Older ones of the call that gave way. */
  readonly dropped: number;
}

const NOT_KEPT: Kept = { isKept: false, dropped: 0 };

/** What is kept of a call's transcript. */
export interface KeptTranscript {
  /** In the order in which they were kept; some may be there twice. */
  readonly events: readonly TranscriptEvent[];
  /** Events that gave way to newer ones. */
  readonly dropped: number;
  /** Utterances that were counted as not kept. */
  readonly notKept: number;
}

export interface TranscriptWriterOptions {
  readonly callId: string;
  readonly ttlMs: number;
}

interface Item {
  readonly event: TranscriptEvent;
  readonly startedAtMs: number;
  outcome?: Promise<Kept>;
}

/** Keeps what is said in a call as long as its permit is valid. */
export class TranscriptWriter {
  readonly #writer: PermittedWriter<Item>;

  constructor(permit: RecordingPermit, keep: (item: Item) => Promise<Kept>) {
    this.#writer = new PermittedWriter<Item>(permit, () => ({
      write(item) {
        item.outcome = keep(item);
      },
      close() {},
    }));
  }

  /** @param startedAtMs when the first of it was spoken, Unix. @throws CodedError `redis_unreachable`. */
  async keep(event: TranscriptEvent, startedAtMs: number): Promise<Kept> {
    const item: Item = { event, startedAtMs };
    return this.#writer.write(item) ? ((await item.outcome) ?? NOT_KEPT) : NOT_KEPT;
  }
}

/** Transcripts that are kept: written with a permit of the call's recording gate, and only so. */
export class TranscriptStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** The one way to keep anything. It is kept for `ttlMs` after the last of it. */
  writer(permit: RecordingPermit, { callId, ttlMs }: TranscriptWriterOptions): TranscriptWriter {
    const { recordingGate, transcript, transcriptSize } = this.#keys;
    const keys = [recordingGate(callId), transcript(callId), transcriptSize(callId)];
    return new TranscriptWriter(permit, async ({ event, startedAtMs }) => {
      const limits = [ttlMs, MAX_KEPT_EVENTS, MAX_KEPT_BYTES];
      const args = [JSON.stringify(event), Math.floor(startedAtMs), ...limits];
      const reply = Number(await this.#redis.run((client) => KEEP.run(client, keys, args)));
      return reply < 0 ? NOT_KEPT : { isKept: true, dropped: reply };
    });
  }

  /**
   * Counts an utterance that was not kept: a number, whatever the gate says, for `ttlMs` after the last.
   *
   * @throws CodedError `redis_unreachable`.
   */
  async countNotKept({ callId, ttlMs }: TranscriptWriterOptions): Promise<void> {
    const keys = [this.#keys.notKept(callId)];
    await this.#redis.run((client) => COUNT_NOT_KEPT.run(client, keys, [ttlMs]));
  }

  /** Empty when nothing was kept, or all of it has expired. */
  async read(callId: string): Promise<KeptTranscript> {
    const key = this.#keys.transcript(callId);
    const events: TranscriptEvent[] = [];
    // From the end: what gives way, or comes, meanwhile then makes some come twice, and none be missed.
    const pages: string[][] = [];
    for (let end = -1; ; end -= PAGE) {
      const page = await this.#redis.run((client) => client.lrange(key, end - PAGE + 1, end));
      pages.unshift(page);
      if (page.length < PAGE) break;
    }
    for (const text of pages.flat()) events.push(JSON.parse(text) as TranscriptEvent);
    const size = this.#keys.transcriptSize(callId);
    const dropped = await this.#redis.run((client) => client.hget(size, 'dropped'));
    const notKept = await this.#redis.run((client) => client.get(this.#keys.notKept(callId)));
    return { events, dropped: Number(dropped ?? 0), notKept: Number(notKept ?? 0) };
  }

  /** Forgets it. @returns false when there was none. */
  async delete(callId: string): Promise<boolean> {
    const { transcript, transcriptSize, notKept } = this.#keys;
    const deleted = await this.#redis.run((client) =>
      client.del(transcript(callId), transcriptSize(callId), notKept(callId)),
    );
    return deleted > 0;
  }
}
