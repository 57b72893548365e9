import type { EarshotEvent } from './event.js';
import type { Names } from './names.js';
import type { RedisClient } from './redis.js';

/** A copy of an event comes, if at all, soon after: by a retry, or by audio played again. */
const TTL_MS = 6 * 3_600_000;

export type HandledState = 'new' | 'handled' | 'setAside';

export interface HandledIdsOptions {
  readonly client: RedisClient;
  readonly names: Names;
  readonly subscription: string;
}

/**
 * Which events of a batch were handled, by call and id, kept in Redis for some hours. Marks are
 * sent together: once in each turn of the event loop, and when asked to.
 */
export class HandledIds {
  readonly #options: HandledIdsOptions;
  #pending = new Map<string, string[]>();
  #scheduled: NodeJS.Immediate | undefined;
  #sent: Promise<unknown>[] = [];

  constructor(options: HandledIdsOptions) {
    this.#options = options;
  }

  /** The state of each event. All must be of one partition, as its keys are of one slot. */
  async statesOf(events: readonly EarshotEvent[]): Promise<HandledState[]> {
    const byCall = new Map<string, number[]>();
    for (const [index, { callId }] of events.entries()) push(byCall, callId, index);
    const pipeline = this.#options.client.pipeline();
    for (const [callId, indices] of byCall) {
      const ids = indices.map((index) => events[index]?.id ?? '');
      pipeline.smismember(this.#key(callId), ...ids, ...ids.map(setAsideMember));
    }
    const replies = await execute(pipeline);
    const states = new Array<HandledState>(events.length).fill('new');
    for (const [call, indices] of [...byCall.values()].entries()) {
      const flags = replies[call];
      if (!Array.isArray(flags)) throw new Error('Redis must answer SMISMEMBER with a list');
      for (const [i, index] of indices.entries()) {
        if (flags[i] === 1) states[index] = 'handled';
        else if (flags[indices.length + i] === 1) states[index] = 'setAside';
      }
    }
    return states;
  }

  mark({ callId, id }: EarshotEvent): void {
    push(this.#pending, callId, id);
    this.#scheduled ??= setImmediate(() => this.#send());
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
    const pipeline = this.#options.client.pipeline();
    for (const [callId, ids] of marks) {
      const key = this.#key(callId);
      pipeline.sadd(key, ...ids).pexpire(key, TTL_MS);
    }
    await execute(pipeline);
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

async function execute(pipeline: ReturnType<RedisClient['pipeline']>): Promise<unknown[]> {
  const replies = (await pipeline.exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}
