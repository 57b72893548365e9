import { randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { BoundedQueue, backoffDelayMs, delay } from '@earshot/async';
import type { Log } from '@earshot/telemetry';
import type { CallbackSigner } from './callback-signer.js';

/** Notifications of one call that may wait; the oldest are dropped. */
const CAPACITY = 1_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Retry schedule: Graph's own is not documented. */
const RETRY = { baseMs: 250, maxMs: 5_000 } as const;
const RETRY_FOR_MS = 10 * 60_000;

/** What happened to callbacks, for the metrics. */
export interface CallbackCounts {
  delivered: number;
  retried: number;
  /** Given up, refused by the bot, or pushed out of a full queue. */
  lost: number;
}

export interface CallbackQueueOptions {
  readonly callbackUri: string;
  readonly clientId: string;
  readonly tenantId: string;
  readonly chainId: string;
  readonly scenarioId: string;
  readonly signer: CallbackSigner;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly counts: CallbackCounts;
  readonly signal: AbortSignal;
  /** All that was queued has been dealt with. */
  onIdle(): void;
}

/** Posts one call's notifications to its bot: one at a time, in order, again after a failure. */
export class CallbackQueue {
  readonly #options: CallbackQueueOptions;
  readonly #queue = new BoundedQueue<string>({ capacity: CAPACITY, overflow: 'dropOldest' });
  #isRunning = false;

  constructor(options: CallbackQueueOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return !this.#isRunning;
  }

  /** Queues a body. */
  post(body: unknown): void {
    const droppedBefore = this.#queue.dropped;
    this.#queue.push(JSON.stringify(body));
    this.#options.counts.lost += this.#queue.dropped - droppedBefore;
    if (!this.#isRunning) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let body = this.#queue.shift(); body !== undefined; body = this.#queue.shift()) {
      await this.#deliver(body);
    }
    this.#isRunning = false;
    this.#options.onIdle();
  }

  async #deliver(body: string): Promise<void> {
    const { clock, random, counts, signal, log } = this.#options;
    const messageId = randomUUID();
    const deadlineMs = clock.nowMs() + RETRY_FOR_MS;
    for (let attempt = 0; clock.nowMs() < deadlineMs && !signal.aborted; attempt += 1) {
      if (attempt > 0) {
        counts.retried += 1;
        await delay(clock, backoffDelayMs(attempt - 1, random(), RETRY));
      }
      const status = await this.#post(body, messageId);
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

  /** The HTTP status; undefined when there was no answer. */
  async #post(body: string, messageId: string): Promise<number | undefined> {
    const { callbackUri, signal } = this.#options;
    try {
      const response = await fetch(callbackUri, {
        method: 'POST',
        redirect: 'manual',
        headers: await this.#headers(messageId),
        body,
        signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
      });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return undefined;
    }
  }

  async #headers(messageId: string): Promise<Record<string, string>> {
    const { signer, clientId, tenantId, chainId, scenarioId } = this.#options;
    return {
      authorization: `Bearer ${await signer.token(clientId, tenantId)}`,
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'Microsoft-Skype/3.0,(Calling/1.0)',
      'x-microsoft-skype-chain-id': chainId,
      'x-microsoft-skype-message-id': messageId,
      'scenario-id': scenarioId,
      'ms-teams-ring': 'general',
      'ms-teams-partition': 'sandbox01',
      'ms-teams-region': 'sandbox',
    };
  }
}
