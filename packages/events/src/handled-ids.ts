import type { Clock } from '@earshot/async';
import type { EarshotEvent } from './event.js';
import type { Names } from './names.js';
import type { RedisClient } from './redis.js';
import { LuaScript } from './redis.js';

/** Marks are sent at once, unless others were sent less than this before. */
const SEND_EVERY_MS = 1;

/** KEYS: calls. ARGV: for each its number of ids, then these. */
const STATES = new LuaScript(`
local states, at = {}, 1
for i = 1, #KEYS do
  for j = at + 1, at + ARGV[at] do
    local flags = redis.call('SMISMEMBER', KEYS[i], ARGV[j], '!' .. ARGV[j])
    states[#states + 1] = flags[1] == 1 and 1 or flags[2] * 2
  end
  at = at + ARGV[at] + 1
end
return states`);

/** KEYS: calls. ARGV: time to live; then for each call its number of ids, then these. */
const MARK = new LuaScript(`
local at = 2
for i = 1, #KEYS do
  for j = at + 1, at + ARGV[at] do redis.call('SADD', KEYS[i], ARGV[j]) end
  redis.call('PEXPIRE', KEYS[i], ARGV[1])
  at = at + ARGV[at] + 1
end
return 1`);

export type HandledState = 'new' | 'handled' | 'setAside';

export interface HandledIdsOptions {
  readonly client: RedisClient;
  readonly names: Names;
  readonly clock: Clock;
  readonly subscription: string;
  /** How long the ids of a call are kept after the last one. */
  readonly handledTtlMs: number;
}

/**
 * Which events of a batch were handled, by call and id, kept in Redis for some hours. Marks are
 * sent one by one, or together when they come within the same millisecond.
 */
export class HandledIds {
  readonly #options: HandledIdsOptions;
  #pending = new Map<string, string[]>();
  #scheduled: NodeJS.Immediate | undefined;
  #sent: Promise<unknown>[] = [];
  #lastSentMs = Number.NEGATIVE_INFINITY;

  constructor(options: HandledIdsOptions) {
    this.#options = options;
  }

  /** The state of each event. All must be of one partition, as its keys are of one slot. */
  async statesOf(events: readonly EarshotEvent[]): Promise<HandledState[]> {
    const byCall = new Map<string, number[]>();
    for (const [index, { callId }] of events.entries()) push(byCall, callId, index);
    const keys = [...byCall.keys()].map((callId) => this.#key(callId));
    const ids = [...byCall.values()].flatMap((indices) => [
      indices.length,
      ...indices.map((index) => events[index]?.id ?? ''),
    ]);
    const replies = await STATES.run(this.#options.client, keys, ids);
    if (!Array.isArray(replies)) throw new Error('Redis must answer with a list');
    const states = new Array<HandledState>(events.length).fill('new');
    for (const [i, index] of [...byCall.values()].flat().entries()) {
      if (replies[i] === 1) states[index] = 'handled';
      else if (replies[i] === 2) states[index] = 'setAside';
    }
    return states;
  }

  mark({ callId, id }: EarshotEvent): void {
    push(this.#pending, callId, id);
    const isLate = this.#options.clock.nowMs() - this.#lastSentMs >= SEND_EVERY_MS;
    if (isLate) this.#send();
    else this.#scheduled ??= setImmediate(() => this.#send());
  }

  markSetAside({ callId, id }: EarshotEvent): void {
    push(this.#pending, callId, setAsideMember(id));
  }

  /** Resolves when Redis has all marks; after a rejection it may be called again. */
  async flush(): Promise<void> {
    this.#send();
    while (this.#sent.length > 0) await Promise.all(this.#sent.splice(0));
  }

  #send(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    if (this.#pending.size === 0) return;
    this.#lastSentMs = this.#options.clock.nowMs();
    const marks = this.#pending;
    this.#pending = new Map();
    const sending = this.#write(marks).catch((error) => {
      for (const [callId, ids] of marks) for (const id of ids) push(this.#pending, callId, id);
      throw error;
    });
    sending.catch(() => {});
    this.#sent.push(sending);
  }

  async #write(marks: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const { client, handledTtlMs } = this.#options;
    const keys = [...marks.keys()].map((callId) => this.#key(callId));
    const ids = [...marks.values()].flatMap((each) => [each.length, ...each]);
    await MARK.run(client, keys, [handledTtlMs, ...ids]);
  }

  #key(callId: string): string {
    return this.#options.names.handled(callId, this.#options.subscription);
  }
}

/** Apart from all ids that could be given: those of events begin otherwise. */
function setAsideMember(id: string): string {
  return `!${id}`;
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
