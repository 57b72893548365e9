import { CodedError } from '@earshot/async';
import type { Keys } from './keys.js';
import type { PlayRecord } from './play-record.js';
import { isOver, parsePlayRecord } from './play-record.js';
import type { RedisConnection } from './redis-connection.js';
import { execute, LuaScript } from './redis-connection.js';

/** Plays of one call that wait or sound. */
export const MAX_WAITING_PLAYS = 16;
/** Their audio, bytes. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** Plays of one call that are remembered; of those that are over the oldest are forgotten. */
const MAX_KEPT = 100;
const TTL_MS = 24 * 3_600_000;
const MAX_UPDATE_ATTEMPTS = 100;

/** What is there under this id already, from the same request sent again, is told and left alone. */
const ADD = new LuaScript(`
local plays, waiting, all, audio = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local held = redis.call('HGET', plays, ARGV[1])
if held then return held end
local ids = redis.call('LRANGE', waiting, 0, -1)
local bytes, waits = #ARGV[3], {}
for _, id in ipairs(ids) do
  bytes = bytes + redis.call('HSTRLEN', audio, id)
  waits[id] = true
end
if #ids >= tonumber(ARGV[4]) or bytes > tonumber(ARGV[5]) then return false end
redis.call('HSET', plays, ARGV[1], ARGV[2])
redis.call('HSET', audio, ARGV[1], ARGV[3])
redis.call('RPUSH', waiting, ARGV[1])
redis.call('RPUSH', all, ARGV[1])
local over = redis.call('LLEN', all) - tonumber(ARGV[6])
for _, id in ipairs(over > 0 and redis.call('LRANGE', all, 0, -1) or {}) do
  if over > 0 and not waits[id] and id ~= ARGV[1] then
    redis.call('LREM', all, 1, id)
    redis.call('HDEL', plays, id)
    over = over - 1
  end
end
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, ARGV[7]) end
return ARGV[2]`);

const REPLACE = new LuaScript(`
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held then return -1 end
if held ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
if ARGV[4] == 'over' then redis.call('HDEL', KEYS[2], ARGV[1]) end
return 1`);

/**
 * What is to be played into meetings: per call a list in order, with the audio. A play leaves the
 * list by `settle`, after its end was told; until then any worker that has the call finds it.
 */
export class PlayStore {
  readonly #redis: RedisConnection;
  readonly #keys: Keys;

  constructor(redis: RedisConnection, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Puts a play behind the others of its call and wakes the worker; the one that is stored, when
   * there is one with this id.
   *
   * @param audio Ogg Opus, mono packets of 20 ms; borrowed for the call.
   * @throws CodedError `too_many_plays` when 16 wait, or 32 MiB.
   */
  async add(play: PlayRecord, audio: Uint8Array): Promise<PlayRecord> {
    const { callId, playId } = play;
    const keys = this.#all(callId);
    const bytes = Buffer.from(audio.buffer, audio.byteOffset, audio.byteLength);
    const limits = [MAX_WAITING_PLAYS, MAX_WAITING_BYTES, MAX_KEPT, TTL_MS];
    const args = [playId, JSON.stringify(play), bytes, ...limits];
    const stored = await this.#redis.run((client) => ADD.run(client, keys, args));
    if (typeof stored !== 'string') throw tooMany();
    await this.#wake(callId);
    return parsePlayRecord(stored);
  }

  async read(callId: string, playId: string): Promise<PlayRecord | undefined> {
    const text = await this.#redis.run((client) => client.hget(this.#keys.plays(callId), playId));
    return text === null ? undefined : parsePlayRecord(text);
  }

  /** The plays of a call, oldest first: all that wait, and of the others the newest. */
  list(callId: string): Promise<PlayRecord[]> {
    return this.#listed(callId, this.#keys.playOrder(callId));
  }

  /** The plays of a call that are not settled, in the order in which they sound. */
  waiting(callId: string): Promise<PlayRecord[]> {
    return this.#listed(callId, this.#keys.playsWaiting(callId));
  }

  /** Which of these calls have plays that are not settled: one look for all. */
  async callsWaiting(callIds: readonly string[]): Promise<string[]> {
    if (callIds.length === 0) return [];
    const answers = await this.#redis.run((client) =>
      Promise.all(callIds.map((callId) => client.exists(this.#keys.playsWaiting(callId)))),
    );
    return callIds.filter((_, index) => answers[index] === 1);
  }

  /** Undefined once the play is over. */
  async audio(callId: string, playId: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#redis.run((client) =>
      client.hgetBuffer(this.#keys.playAudio(callId), playId),
    );
    return bytes ?? undefined;
  }

  /**
   * Changes a play's record by compare-and-set. One that is over is changed no more, and its audio
   * is gone. `change` may be called, and after a lost connection applied, more than once: it must
   * set, not count. When it returns its argument nothing is written.
   *
   * @returns the record as stored; undefined when there is none.
   */
  async update(
    callId: string,
    playId: string,
    change: (play: PlayRecord) => PlayRecord,
  ): Promise<PlayRecord | undefined> {
    const keys = [this.#keys.plays(callId), this.#keys.playAudio(callId)];
    for (let attempt = 0; attempt < MAX_UPDATE_ATTEMPTS; attempt += 1) {
      const text = await this.#redis.run((client) => client.hget(keys[0] ?? '', playId));
      if (text === null) return undefined;
      const current = parsePlayRecord(text);
      const next = isOver(current) ? current : change(current);
      if (next === current) return current;
      const args = [playId, text, JSON.stringify(next), isOver(next) ? 'over' : ''];
      if ((await this.#redis.run((client) => REPLACE.run(client, keys, args))) === 1) return next;
    }
    throw new CodedError(
      'play_contended',
      `Cannot change play: others must leave a gap, got ${MAX_UPDATE_ATTEMPTS} changes at once`,
    );
  }

  /** Asks for the end of a play, and wakes the worker. @returns as `update`. */
  async requestClear(callId: string, playId: string): Promise<PlayRecord | undefined> {
    const play = await this.update(callId, playId, (current) =>
      current.clearRequested === true ? current : { ...current, clearRequested: true },
    );
    if (play !== undefined && !isOver(play)) await this.#wake(callId);
    return play;
  }

  /** Takes a play that is over, and whose end was told, off the list. Idempotent. */
  async settle(callId: string, playId: string): Promise<void> {
    await this.#redis.run((client) => client.lrem(this.#keys.playsWaiting(callId), 0, playId));
  }

  /** Notes whether the call's media host can play, as its hello said. */
  async noteHost(callId: string, canPlay: boolean): Promise<void> {
    const key = this.#keys.playHost(callId);
    await this.#redis.run((client) => client.set(key, canPlay ? 'yes' : 'no', 'PX', TTL_MS));
  }

  /** Undefined while no worker has said so. */
  async hostCanPlay(callId: string): Promise<boolean | undefined> {
    const noted = await this.#redis.run((client) => client.get(this.#keys.playHost(callId)));
    return noted === null ? undefined : noted === 'yes';
  }

  /** Never fails: what it tells of is stored, and workers also look by themselves, seconds later. */
  async #wake(callId: string): Promise<void> {
    await this.#redis
      .run((client) => client.publish(this.#keys.playWakes(), callId))
      .catch(() => {});
  }

  async #listed(callId: string, listKey: string): Promise<PlayRecord[]> {
    const ids = await this.#redis.run((client) => client.lrange(listKey, 0, -1));
    if (ids.length === 0) return [];
    const key = this.#keys.plays(callId);
    const texts = await this.#redis.run((client) => client.hmget(key, ...ids));
    const lost = ids.filter((_, index) => texts[index] === null);
    if (lost.length > 0) await this.#forget(listKey, lost);
    return texts.filter((text) => text !== null).map(parsePlayRecord);
  }

  /** Keys of one call expire together, but not in one instant. */
  async #forget(listKey: string, ids: readonly string[]): Promise<void> {
    await this.#redis.run((client) => {
      const pipeline = client.pipeline();
      for (const id of ids) pipeline.lrem(listKey, 0, id);
      return execute(pipeline);
    });
  }

  #all(callId: string): string[] {
    const { plays, playsWaiting, playOrder, playAudio } = this.#keys;
    return [plays(callId), playsWaiting(callId), playOrder(callId), playAudio(callId)];
  }
}

function tooMany(): CodedError {
  return new CodedError(
    'too_many_plays',
    `Cannot queue the audio: at most ${MAX_WAITING_PLAYS} plays and 32 MiB may wait for a call, got one more`,
    { fix: 'Wait for some to end, or clear them.' },
  );
}
