import type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterPage,
  DeadLetterQuery,
} from './dead-letters.js';
import { DeadLetters } from './dead-letters.js';
import { EphemeralSubscriptions } from './ephemeral-subscriptions.js';
import type { EarshotEvent } from './event.js';
import { parseEvent } from './event-schema.js';
import { checkSubscription, JOB_NAME, Names } from './names.js';
import { PARTITIONS, partitionOf } from './partition.js';
import { JOB_OPTIONS, PartitionQueues } from './partition-queues.js';
import type { RedisClient } from './redis.js';
import { connect, createClient, disconnect } from './redis.js';
import { removeSubscription } from './remove-subscription.js';

export interface SubscriptionsOptions {
  /** `redis://…`, `redis+cluster://…` or the absolute path of a unix socket. */
  readonly redisUrl: string;
  /** Before every key. @defaultValue earshot */
  readonly prefix?: string;
}

export interface SubscriptionState {
  readonly name: string;
  /** Jobs, of many events each, that wait or are being handled. */
  readonly jobs: number;
  readonly deadLetters: number;
  /** True when it ends with its consumer. */
  readonly isEphemeral: boolean;
}

export interface ReplayResult {
  /** Letters whose events wait for the consumers again. */
  readonly replayed: number;
  /** Letters that are no valid events: they stay. */
  readonly invalid: number;
  /** Letters whose content was not kept, as their calls' recording gates were closed: they stay. */
  readonly withheld: number;
}

/**
 * The named copies of the events. Events of a subscription without consumers pile up in Redis
 * until it is removed.
 */
export class Subscriptions {
  readonly #client: RedisClient;
  readonly #names: Names;
  readonly #queues: PartitionQueues;

  constructor({ redisUrl, prefix = 'earshot' }: SubscriptionsOptions) {
    this.#client = createClient(redisUrl, { maxRetriesPerRequest: 1 });
    this.#names = new Names(prefix);
    this.#queues = new PartitionQueues(this.#client, this.#names);
  }

  /** @throws CodedError `redis_unreachable`. */
  ready(): Promise<void> {
    return connect(this.#client);
  }

  /** All subscriptions, by name; `default` is among them until it is removed. */
  async list(): Promise<SubscriptionState[]> {
    const [names, ephemeral] = await Promise.all([
      this.#queues.registered(),
      new EphemeralSubscriptions(this.#client, this.#names).names(),
    ]);
    return Promise.all(
      names.map(async (name) => {
        const [jobs, deadLetters] = await Promise.all([
          this.#jobsOf(name),
          this.#lettersOf(name).count(),
        ]);
        return { name, jobs, deadLetters, isEphemeral: ephemeral.has(name) };
      }),
    );
  }

  /**
   * Begins a subscription before its first consumer: every event that is published from then on
   * waits for it. Repeating it is harmless.
   *
   * @throws CodedError `invalid_subscription`.
   */
  async add(name: string): Promise<void> {
    await this.#queues.register(checkSubscription(name));
  }

  /**
   * Ends a subscription and drops what waits for it. Its consumers must be closed before. `default`
   * begins again with its next consumer.
   */
  remove(name: string): Promise<void> {
    return removeSubscription(checkSubscription(name), {
      client: this.#client,
      names: this.#names,
      queues: this.#queues,
    });
  }

  /** The newest dead letters of a subscription. @throws CodedError `invalid_dead_letter_id`. */
  deadLetters(name: string, query: DeadLetterQuery = {}): Promise<DeadLetterPage> {
    return this.#lettersOf(name).page(query);
  }

  /** @throws CodedError `invalid_dead_letter_id`. */
  deadLetter(name: string, id: string): Promise<DeadLetter | undefined> {
    return this.#lettersOf(name).get(id);
  }

  /**
   * Gives dead letters to the subscription's consumers again: in the order in which they failed,
   * behind what waits. Safe to repeat, also when it was cut short: an event that was handled by
   * then does not come again.
   */
  async replay(name: string, filter: DeadLetterFilter = {}): Promise<ReplayResult> {
    const letters = this.#lettersOf(name);
    let replayed = 0;
    let invalid = 0;
    let withheld = 0;
    for await (const letter of letters.oldestFirst(filter)) {
      if (letter.withheldBytes !== undefined) {
        withheld += 1;
        continue;
      }
      const event = validEventOf(letter);
      if (event === undefined) {
        invalid += 1;
        continue;
      }
      await this.#addAgain(name, event.callId, letter);
      await letters.remove(letter.id);
      replayed += 1;
    }
    return { replayed, invalid, withheld };
  }

  /** Forgets dead letters. @returns how many. */
  async drop(name: string, filter: DeadLetterFilter = {}): Promise<number> {
    const letters = this.#lettersOf(name);
    let dropped = 0;
    for await (const { id } of letters.oldestFirst(filter)) {
      if (await letters.remove(id)) dropped += 1;
    }
    return dropped;
  }

  async close(): Promise<void> {
    await this.#queues.close();
    await disconnect(this.#client);
  }

  #lettersOf(name: string): DeadLetters {
    return new DeadLetters(this.#client, this.#names, checkSubscription(name));
  }

  async #jobsOf(name: string): Promise<number> {
    const counts = await Promise.all(
      Array.from({ length: PARTITIONS }, (_, partition) =>
        this.#queues.of(name, partition).getJobCountByTypes('wait', 'active'),
      ),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async #addAgain(name: string, callId: string, letter: DeadLetter): Promise<void> {
    const queue = this.#queues.of(name, partitionOf(callId));
    // Consumers leave out what was handled or set aside; with `replay`, only the former.
    const data = { events: [letter.event], replay: true };
    await queue.add(JOB_NAME, data, { ...JOB_OPTIONS, jobId: `replay-${letter.id}` });
  }
}

function validEventOf({ event }: DeadLetter): EarshotEvent | undefined {
  try {
    return parseEvent(event);
  } catch {
    return undefined;
  }
}
