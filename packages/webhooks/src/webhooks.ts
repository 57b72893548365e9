import { createHash } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CloseStack, delay, every } from '@earshot/async';
import type { AddressRules } from './address-rules.js';
import { DeliveryHistory } from './delivery-history.js';
import { DeliveryQueues } from './delivery-queues.js';
import type { AttemptOutcome } from './delivery-runner.js';
import { DeliveryRunner } from './delivery-runner.js';
import { Names } from './names.js';
import { Poster } from './poster.js';
import { connect, createClient, disconnect } from './redis.js';
import type { RestOptions } from './retry.js';
import { REST, RETRY_SCHEDULE_MS } from './retry.js';
import type { DisableReason, WebhookMessage } from './webhook.js';
import { isFor } from './webhook.js';
import { WebhookAdmin } from './webhook-admin.js';
import type { WebhookSet } from './webhook-store.js';
import { WebhookStore } from './webhook-store.js';
import { WorkerPool } from './worker-pool.js';

/** Bounds; each has a default that fits production. */
export interface WebhookLimits {
  /** @defaultValue 50 */
  readonly maxWebhooks?: number;
  /** Deliveries of one webhook that may wait; the oldest give way. @defaultValue 10 000 */
  readonly maxBacklog?: number;
  /** Deliveries kept in the history of one webhook. @defaultValue 1 000 */
  readonly maxHistory?: number;
  /** For how long, ms. @defaultValue 7 days */
  readonly keepHistoryMs?: number;
  /** @defaultValue `RETRY_SCHEDULE_MS` */
  readonly retryScheduleMs?: readonly number[];
  readonly rest?: RestOptions;
  /** Failing for so long turns a webhook off, ms. @defaultValue 5 days */
  readonly disableAfterMs?: number;
  /** A process that is not heard of for so long has died, ms. @defaultValue 15 000 */
  readonly lockMs?: number;
}

export interface WebhooksOptions {
  /** `redis://…` or the absolute path of a unix socket. */
  readonly redisUrl: string;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly addresses: AddressRules;
  /** Lets webhooks go to http: URLs of other machines. @defaultValue false */
  readonly allowHttp?: boolean;
  /** Before every key. @defaultValue earshot */
  readonly prefix?: string;
  readonly limits?: WebhookLimits;
  /**
   * Whether the history may keep a message, so that it can be sent again; one that it may not is
   * only in its queue, until it is delivered or given up. @defaultValue all
   */
  readonly mayKeep?: (message: WebhookMessage) => boolean;
  readonly onAttempt?: (outcome: AttemptOutcome, durationMs: number) => void;
  /** Deliveries were given up: too many waited, or the webhook was turned off. */
  readonly onDropped?: (count: number) => void;
  readonly onDisabled?: (webhookId: string, reason: DisableReason) => void;
  /** Told of failures of the connection; deliveries go on. */
  readonly onError?: (error: unknown) => void;
}

const DAY_MS = 86_400_000;
/** How soon the other processes learn of a new webhook. */
const SYNC_EVERY_MS = 1_000;
/** What is being delivered may end; then it is cut, and begins again elsewhere. */
const CLOSE_WITHIN_MS = 2_000;

/** Delivers messages to webhooks, together with all other processes on the same Redis. */
export class Webhooks {
  /** What people do with webhooks. */
  readonly admin: WebhookAdmin;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #mayKeep: (message: WebhookMessage) => boolean;
  readonly #store: WebhookStore;
  readonly #history: DeliveryHistory;
  readonly #queues: DeliveryQueues;
  readonly #pool: WorkerPool;
  readonly #connections: readonly (() => Promise<void>)[];
  readonly #closers = new CloseStack();
  #isStarted = false;
  #known: WebhookSet = { revision: '', webhooks: new Map() };

  constructor(options: WebhooksOptions) {
    const { clock, random, addresses, allowHttp = false, limits = {} } = options;
    const { onAttempt = () => {}, onDropped = () => {}, onDisabled = () => {} } = options;
    const schedule = limits.retryScheduleMs ?? RETRY_SCHEDULE_MS;
    const names = new Names(options.prefix ?? 'earshot');
    const historyLimits = {
      maxDeliveries: limits.maxHistory ?? 1_000,
      keepMs: limits.keepHistoryMs ?? 7 * DAY_MS,
    };
    const drop = async (webhookId: string, count: number): Promise<void> => {
      if (count === 0) return;
      onDropped(count);
      await this.#store.noteDropped(webhookId, count);
    };
    const queueOptions = {
      names,
      maxBacklog: limits.maxBacklog ?? 10_000,
      attempts: schedule.length + 1,
      onDropped: async (webhookId: string, deliveryId: string): Promise<void> => {
        const atMs = clock.wallclockMs();
        await this.#history.note(webhookId, deliveryId, {
          ...{ status: 'dropped', atMs, error: 'backlog_full' },
        });
        await drop(webhookId, 1);
      },
    };
    this.#clock = clock;
    this.#onError = options.onError ?? (() => {});
    this.#mayKeep = options.mayKeep ?? (() => true);
    // Deliveries wait for Redis to come back; people get an answer.
    const client = createClient(options.redisUrl, { waits: true });
    const adminClient = createClient(options.redisUrl, { waits: false });
    this.#connections = [() => connect(client), () => connect(adminClient)];
    this.#store = new WebhookStore(client, names);
    this.#history = new DeliveryHistory(client, names, historyLimits);
    this.#queues = new DeliveryQueues({ ...queueOptions, client });
    const adminQueues = new DeliveryQueues({ ...queueOptions, client: adminClient });
    this.admin = new WebhookAdmin({
      ...{ clock, addresses, allowHttp, maxWebhooks: limits.maxWebhooks ?? 50 },
      store: new WebhookStore(adminClient, names),
      history: new DeliveryHistory(adminClient, names, historyLimits),
      queues: adminQueues,
      onChanged: () => this.#sync(),
      onDisabled,
      onDropped: drop,
    });
    const poster = new Poster({ clock, addresses });
    const runner = new DeliveryRunner({
      ...{ clock, random, schedule, poster, onAttempt },
      ...{ store: this.#store, history: this.#history, queues: this.#queues },
      rest: limits.rest ?? REST,
      disableAfterMs: limits.disableAfterMs ?? 5 * DAY_MS,
      disable: (webhookId, reason) => this.admin.disable(webhookId, reason),
      onDropped: (webhookId) => drop(webhookId, 1),
    });
    const lockMs = limits.lockMs ?? 15_000;
    const onError = this.#onError;
    this.#pool = new WorkerPool({
      ...{ client, names, queues: this.#queues, runner, lockMs, onError },
      forget: async (webhookId) => {
        await this.#queues.remove(webhookId);
        await this.admin.forget(webhookId);
      },
    });
    this.#closers.defer(() => disconnect(client));
    this.#closers.defer(() => disconnect(adminClient));
    this.#closers.defer(() => adminQueues.close());
    this.#closers.defer(() => this.#queues.close());
    this.#closers.defer(async () => {
      const closed = this.#pool.close();
      await Promise.race([closed, delay(clock, CLOSE_WITHIN_MS)]);
      poster.close();
      // Without Redis nothing can be ended in good order; it begins again later.
      if (client.status === 'ready') await closed;
    });
  }

  /** @throws CodedError `redis_unreachable`. */
  async ready(): Promise<void> {
    await Promise.all(this.#connections.map((open) => open()));
  }

  /** Begins to deliver; until then this process only queues. */
  async start(): Promise<void> {
    this.#isStarted = true;
    await this.#sync();
    let isSyncing = false;
    const cancel = every(this.#clock, SYNC_EVERY_MS, () => {
      if (isSyncing) return;
      isSyncing = true;
      const done = this.#sync().catch(this.#onError);
      void done.finally(() => {
        isSyncing = false;
      });
    });
    this.#closers.defer(cancel);
  }

  /**
   * Queues a message for every webhook that wants it. The same message again is the same
   * delivery, and is not made twice as long as the history knows of it.
   */
  async dispatch(message: WebhookMessage): Promise<void> {
    const { webhooks } = await this.#current();
    const wanting = [...webhooks.values()].filter((webhook) => isFor(webhook, message));
    if (wanting.length === 0) return;
    const body = JSON.stringify(message);
    await Promise.all(wanting.map(({ id }) => this.#queue(id, message, body)));
  }

  /** Ends what was begun, for at most 2 s; idempotent. */
  close(): Promise<void> {
    return this.#closers.close();
  }

  async #queue(webhookId: string, message: WebhookMessage, body: string): Promise<void> {
    const id = deliveryId(webhookId, message.id);
    const atMs = this.#clock.wallclockMs();
    const kept = this.#mayKeep(message) ? body : '';
    const status = await this.#history.open(webhookId, { id, message, body: kept }, atMs);
    if (status !== undefined && status !== 'pending') return;
    const laneKey = message.callId ?? message.id;
    await this.#queues.add(webhookId, laneKey, id, { deliveryId: id, body });
  }

  /** All webhooks, those included whose making was answered a moment ago anywhere. */
  async #current(): Promise<WebhookSet> {
    const revision = await this.#store.revision();
    if (revision !== this.#known.revision) this.#known = await this.#store.all();
    return this.#known;
  }

  async #sync(): Promise<void> {
    if (!this.#isStarted) return;
    const { webhooks } = await this.#current();
    await this.#pool.sync(webhooks);
  }
}

/** The same for the same message and webhook, whichever process asks. */
function deliveryId(webhookId: string, messageId: string): string {
  const digest = createHash('sha256').update(`${webhookId} ${messageId}`).digest('base64url');
  return `msg_${digest.slice(0, 24)}`;
}
