import type { Clock } from '@earshot/async';
import type { Job } from 'bullmq';
import { WaitingError } from 'bullmq';
import type { DeliveryHistory } from './delivery-history.js';
import type { DeliveryJob, DeliveryQueues } from './delivery-queues.js';
import type { Poster, PostResult } from './poster.js';
import { POSTER_CLOSED } from './poster.js';
import type { RestOptions } from './retry.js';
import { restMs, retryDelayMs } from './retry.js';
import { signatureHeaders } from './signature.js';
import type { DisableReason, Webhook } from './webhook.js';
import { activeSecrets } from './webhook.js';
import type { WebhookStore } from './webhook-store.js';

/** A delivery whose processes died so often is taken for the cause. */
const MAX_DEATHS = 20;

/** How an attempt ended; `retried` will be tried again. */
export type AttemptOutcome = 'delivered' | 'retried' | 'failed';

export interface DeliveryRunnerOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly store: WebhookStore;
  readonly history: DeliveryHistory;
  readonly queues: DeliveryQueues;
  readonly poster: Poster;
  readonly schedule: readonly number[];
  readonly rest: RestOptions;
  /** A webhook that has failed for so long without one success is turned off, ms. */
  readonly disableAfterMs: number;
  readonly onAttempt: (outcome: AttemptOutcome, durationMs: number) => void;
  readonly disable: (webhookId: string, reason: DisableReason) => Promise<void>;
  /** A delivery was given up because its webhook is off. */
  readonly onDropped: (webhookId: string) => Promise<void>;
}

/** Tells BullMQ to try again, and when. */
class AttemptFailed extends Error {
  readonly delayMs: number;

  constructor(code: string, delayMs: number) {
    super(code);
    this.delayMs = delayMs;
  }
}

/** How long BullMQ shall wait before it tries again, ms. */
export function delayAfter(error: unknown): number {
  return error instanceof AttemptFailed ? error.delayMs : 5_000;
}

/** Makes one attempt of a delivery, and writes down how it went. */
export class DeliveryRunner {
  readonly #options: DeliveryRunnerOptions;

  constructor(options: DeliveryRunnerOptions) {
    this.#options = options;
  }

  /**
   * @param token of the job's lock.
   * @throws AttemptFailed when it is to be tried again.
   */
  async run(webhookId: string, job: Job<DeliveryJob>, token: string): Promise<void> {
    const { store, clock, history } = this.#options;
    const webhook = await store.find(webhookId);
    const { deliveryId } = job.data;
    if (webhook === undefined) return;
    if (webhook.disabled !== undefined) return this.#dropped(webhookId, deliveryId);
    if (job.stalledCounter > MAX_DEATHS) {
      const atMs = clock.wallclockMs();
      await history.note(webhookId, deliveryId, { status: 'failed', atMs, error: 'process_died' });
      return;
    }
    const result = await this.#post(webhook, job.data);
    if (result.ok) await this.#succeeded(webhookId, deliveryId, result);
    else if (result.error === POSTER_CLOSED) await giveBack(job, token);
    else await this.#failed(webhookId, job, result);
  }

  /** It was turned off after this one had been taken off its queue. */
  async #dropped(webhookId: string, deliveryId: string, result?: PostResult): Promise<void> {
    const { history, clock, onDropped } = this.#options;
    await history.note(webhookId, deliveryId, {
      status: 'dropped',
      atMs: clock.wallclockMs(),
      error: 'webhook_disabled',
      ...(result === undefined ? {} : { attempt: attemptOf(result, undefined) }),
    });
    await onDropped(webhookId);
  }

  #post(webhook: Webhook, { deliveryId, body }: DeliveryJob): Promise<PostResult> {
    const timestampMs = this.#options.clock.wallclockMs();
    const message = { id: deliveryId, body, timestampMs };
    const headers = signatureHeaders(message, activeSecrets(webhook, timestampMs));
    return this.#options.poster.post({ url: webhook.url, headers, body });
  }

  async #succeeded(webhookId: string, deliveryId: string, result: PostResult): Promise<void> {
    const { store, history, clock, onAttempt } = this.#options;
    onAttempt('delivered', result.durationMs);
    await Promise.all([
      store.noteSuccess(webhookId),
      history.note(webhookId, deliveryId, {
        status: 'delivered',
        atMs: clock.wallclockMs(),
        attempt: attemptOf(result, undefined),
      }),
    ]);
  }

  async #failed(webhookId: string, job: Job<DeliveryJob>, result: PostResult): Promise<void> {
    const { store, history, queues, clock, rest, disable, onAttempt } = this.#options;
    const webhook = await store.find(webhookId);
    if (webhook?.disabled !== undefined) {
      onAttempt('failed', result.durationMs);
      return this.#dropped(webhookId, job.data.deliveryId, result);
    }
    const atMs = clock.wallclockMs();
    const health = await store.noteFailure(webhookId, atMs);
    const reason = this.#reasonToDisable(result, atMs - health.failingSinceMs);
    const delayMs = reason === undefined ? this.#delayAfter(job, result) : undefined;
    onAttempt(delayMs === undefined ? 'failed' : 'retried', result.durationMs);
    if (delayMs === undefined) await store.noteFailed(webhookId);
    await history.note(webhookId, job.data.deliveryId, {
      status: delayMs === undefined ? 'failed' : 'pending',
      atMs,
      attempt: attemptOf(result, delayMs === undefined ? undefined : atMs + delayMs),
      error: result.error,
    });
    if (reason !== undefined) return disable(webhookId, reason);
    const pauseMs = restMs(health.failuresInARow, result.retryAfterMs, rest);
    if (pauseMs > 0) await queues.rest(webhookId, pauseMs);
    if (delayMs !== undefined) throw new AttemptFailed(result.error ?? 'failed', delayMs);
  }

  #reasonToDisable({ status }: PostResult, failingForMs: number): DisableReason | undefined {
    if (status === 410) return 'gone';
    return failingForMs >= this.#options.disableAfterMs ? 'failing' : undefined;
  }

  #delayAfter(job: Job<DeliveryJob>, { retryAfterMs }: PostResult): number | undefined {
    const { schedule, random } = this.#options;
    const failures = job.attemptsMade + 1;
    return retryDelayMs({ schedule, failures, retryAfterMs, random: random() });
  }
}

/** Before all that waits: the endpoint has not failed, this process ends. */
async function giveBack(job: Job<DeliveryJob>, token: string): Promise<never> {
  await job.moveToWait(token);
  // Tells BullMQ that the job is neither completed nor failed.
  throw new WaitingError();
}

function attemptOf({ status, durationMs }: PostResult, nextAttemptAtMs: number | undefined) {
  return { responseStatus: status, durationMs, nextAttemptAtMs };
}
