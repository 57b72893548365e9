import { randomUUID } from 'node:crypto';
import type { Cancel, Clock } from '@earshot/async';
import { BoundedQueue, backoffDelayMs, delay } from '@earshot/async';
import type { Log } from '@earshot/telemetry';
import type { CallbackFaults, CallbackPlan } from '../scenario/callback-faults.js';
import type { Forgery } from '../scenario/scenario.js';
import type { CallbackPost } from './callback-post.js';
import { callbackHeaders, cutCallback, postCallback } from './callback-post.js';
import type { CallbackSigner } from './callback-signer.js';
import type { Notification } from './notifications.js';

/** Notifications of one call that may wait; the oldest are dropped. */
const CAPACITY = 1_000;
/** Retry schedule: Graph's own is not documented. */
const RETRY = { baseMs: 250, maxMs: 5_000 } as const;
const RETRY_FOR_MS = 10 * 60_000;
/** A callback that is to change places waits so long for another one. */
const SWAP_WAIT_MS = 1_000;

/** What happened to callbacks, for the metrics. */
export interface CallbackCounts {
  delivered: number;
  retried: number;
  /** Given up, refused by the bot, pushed out of a full queue, or lost by a scenario. */
  lost: number;
  /** Forged ones that the bot took. */
  forgeriesTaken: number;
  /** Forged ones that the bot refused. */
  forgeriesRefused: number;
}

export interface CallbackQueueOptions {
  readonly callbackUri: string;
  readonly clientId: string;
  readonly tenantId: string;
  readonly chainId: string;
  readonly scenarioId: string;
  readonly signer: CallbackSigner;
  readonly faults: CallbackFaults;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly counts: CallbackCounts;
  readonly signal: AbortSignal;
  /** All that was queued has been dealt with. */
  onIdle(): void;
}

interface Queued {
  readonly body: string;
  readonly plan: CallbackPlan;
}

/**
 * Posts one call's notifications to its bot: one at a time, in order, again after a failure; but
 * for what a scenario does to them.
 */
export class CallbackQueue {
  readonly #options: CallbackQueueOptions;
  readonly #queue = new BoundedQueue<Queued>({ capacity: CAPACITY, overflow: 'dropOldest' });
  /** Resolves once the first callback has been dealt with. */
  readonly firstDone: Promise<void>;
  #markFirstDone: () => void = () => {};
  #held: Queued | undefined;
  #cancelHold: Cancel | undefined;
  #isRunning = false;

  constructor(options: CallbackQueueOptions) {
    this.#options = options;
    this.firstDone = new Promise((resolve) => {
      this.#markFirstDone = resolve;
    });
  }

  get isIdle(): boolean {
    return !this.#isRunning && this.#held === undefined;
  }

  /** Queues a notification. */
  post({ subject, body }: Notification): void {
    const droppedBefore = this.#queue.dropped;
    this.#queue.push({ body: JSON.stringify(body), plan: this.#options.faults.next(subject) });
    this.#options.counts.lost += this.#queue.dropped - droppedBefore;
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      if (next.plan.isSwapped && this.#held === undefined) {
        this.#hold(next);
        continue;
      }
      await this.#deliver(next);
      const held = this.#release();
      if (held !== undefined) await this.#deliver(held);
    }
    this.#isRunning = false;
    if (this.isIdle) this.#options.onIdle();
  }

  /** Keeps it back until the next has gone, or for a while when there is none. */
  #hold(queued: Queued): void {
    const { clock } = this.#options;
    this.#held = queued;
    this.#cancelHold = clock.at(clock.nowMs() + SWAP_WAIT_MS, () => {
      if (this.#isRunning) return;
      const held = this.#release();
      if (held === undefined) return;
      this.#queue.push({ ...held, plan: { ...held.plan, isSwapped: false } });
      void this.#run();
    });
  }

  #release(): Queued | undefined {
    const held = this.#held;
    this.#held = undefined;
    this.#cancelHold?.();
    return held;
  }

  async #deliver({ body, plan }: Queued): Promise<void> {
    const { clock, counts, signal } = this.#options;
    if (plan.delayMs > 0) await delay(clock, plan.delayMs);
    if (signal.aborted) return;
    if (plan.forgery !== undefined) await this.#forge(body, plan.forgery);
    if (plan.isLost) counts.lost += 1;
    else for (let copy = 0; copy < plan.copies; copy += 1) await this.#send(body, plan.isCut);
    this.#markFirstDone();
  }

  async #send(body: string, isCut: boolean): Promise<void> {
    const { clock, random, counts, signal, log } = this.#options;
    const messageId = randomUUID();
    const deadlineMs = clock.nowMs() + RETRY_FOR_MS;
    for (let attempt = 0; clock.nowMs() < deadlineMs && !signal.aborted; attempt += 1) {
      if (attempt > 0) {
        counts.retried += 1;
        await delay(clock, backoffDelayMs(attempt - 1, random(), RETRY));
      }
      const post = await this.#postOf(body, messageId);
      if (isCut && attempt === 0) {
        await cutCallback(post);
        continue;
      }
      const status = await postCallback(post);
      if (status !== undefined && status < 300) {
        counts.delivered += 1;
        return;
      }
      // The bot's own no is final; a redirect would lead to another region, which there is not.
      if (status !== undefined && status < 500 && status !== 429) {
        log.warn('callback refused', { status });
        break;
      }
    }
    counts.lost += 1;
    if (!signal.aborted) log.warn('callback given up');
  }

  /** Somebody else's attempt: the same body, with a token that is not good. */
  async #forge(body: string, forgery: Forgery): Promise<void> {
    const { signer, clientId, tenantId, counts, log } = this.#options;
    const { authorization: _, ...headers } = this.#headers(randomUUID(), '');
    const token = await signer.forgedToken(forgery, clientId, tenantId);
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const status = await postCallback(this.#post(body, { ...headers, ...bearer }));
    if (status !== undefined && status < 300) {
      counts.forgeriesTaken += 1;
      log.warn('the bot took a forged callback', { forgery });
    } else counts.forgeriesRefused += 1;
  }

  async #postOf(body: string, messageId: string): Promise<CallbackPost> {
    const { signer, clientId, tenantId } = this.#options;
    return this.#post(body, this.#headers(messageId, await signer.token(clientId, tenantId)));
  }

  #post(body: string, headers: Readonly<Record<string, string>>): CallbackPost {
    return { uri: this.#options.callbackUri, headers, body, signal: this.#options.signal };
  }

  #headers(messageId: string, token: string): Record<string, string> {
    const { chainId, scenarioId } = this.#options;
    return callbackHeaders({ token, chainId, messageId, scenarioId });
  }
}
