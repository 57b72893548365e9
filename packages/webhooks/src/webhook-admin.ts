import { randomBytes } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { AddressRules } from './address-rules.js';
import type { DeliveryHistory, DeliveryNews } from './delivery-history.js';
import type { DeliveryQueues } from './delivery-queues.js';
import { checkSecret, generateSecret } from './signature.js';
import type { Delivery, DisableReason, Webhook, WebhookHealth, WebhookMessage } from './webhook.js';
import type { WebhookStore } from './webhook-store.js';
import { checkWebhookUrl } from './webhook-url.js';

/** How long a secret that was replaced still signs, unless told otherwise. */
const KEEP_PREVIOUS_MS = 86_400_000;

export interface WebhookAdminOptions {
  readonly clock: Clock;
  readonly addresses: AddressRules;
  readonly allowHttp: boolean;
  readonly maxWebhooks: number;
  readonly store: WebhookStore;
  readonly history: DeliveryHistory;
  readonly queues: DeliveryQueues;
  /** Webhooks were made, changed or removed here. */
  readonly onChanged: () => Promise<void>;
  readonly onDisabled: (webhookId: string, reason: DisableReason) => void;
  readonly onDropped: (webhookId: string, count: number) => Promise<void>;
}

/** What a webhook is made from. */
export interface NewWebhook {
  readonly url: string;
  readonly eventTypes?: readonly string[] | undefined;
  readonly callId?: string | undefined;
  readonly description?: string | undefined;
  /** `whsec_…`; by default one is made. */
  readonly secret?: string | undefined;
}

/** A delivery on its way into a queue. */
interface Queued {
  readonly deliveryId: string;
  readonly laneKey: string;
  readonly jobId: string;
  readonly body: string;
}

/** A webhook with what is known of how it does. */
export interface WebhookState {
  readonly webhook: Webhook;
  readonly health: WebhookHealth;
  /** Deliveries that wait. */
  readonly backlog: number;
}

/**
 * What people do with webhooks. All of it throws CodedError `redis_unreachable` when Redis is
 * away, and what names a webhook `webhook_not_found`.
 */
export class WebhookAdmin {
  readonly #options: WebhookAdminOptions;

  constructor(options: WebhookAdminOptions) {
    this.#options = options;
  }

  /**
   * Makes a webhook; every event published from then on goes there.
   *
   * @throws CodedError `invalid_webhook_url`, `address_not_allowed`, `invalid_secret`,
   * `too_many_webhooks`.
   */
  async create(given: NewWebhook): Promise<Webhook> {
    const { store, clock, maxWebhooks, onChanged } = this.#options;
    const createdAtMs = clock.wallclockMs();
    const secret = given.secret === undefined ? generateSecret() : checkSecret(given.secret);
    const webhook: Webhook = {
      id: randomId('wh'),
      url: checkWebhookUrl(given.url, this.#options),
      eventTypes: given.eventTypes,
      callId: given.callId,
      description: given.description,
      createdAtMs,
      secrets: [{ secret, createdAtMs }],
    };
    await store.add(webhook, maxWebhooks);
    await onChanged();
    return webhook;
  }

  /** All, oldest first. */
  async list(): Promise<WebhookState[]> {
    const { webhooks } = await this.#options.store.all();
    const sorted = [...webhooks.values()].sort((a, b) => a.createdAtMs - b.createdAtMs);
    return Promise.all(sorted.map((webhook) => this.#stateOf(webhook)));
  }

  async find(id: string): Promise<WebhookState> {
    return this.#stateOf(await this.#existing(id));
  }

  /** Turns it on again: what happened while it was off is not told. */
  async enable(id: string): Promise<WebhookState> {
    const { store, onChanged } = this.#options;
    const { disabled } = await this.#existing(id);
    // What was under way when it was turned off may wait for its next attempt by now.
    if (disabled !== undefined) await this.#giveUpWaiting(id);
    await store.forgiveFailures(id);
    const webhook = await store.update(id, (current) => {
      if (current.disabled === undefined) return current;
      const { disabled: _, ...enabled } = current;
      return enabled;
    });
    await onChanged();
    return this.#stateOf(found(webhook));
  }

  /** Turns it off, and gives up what waits; the history says so. Repeating it is harmless. */
  async disable(id: string, reason: DisableReason): Promise<void> {
    const { store, history, clock } = this.#options;
    const atMs = clock.wallclockMs();
    let isNew = false;
    await store.update(id, (current) => {
      isNew = current.disabled === undefined;
      return isNew ? { ...current, disabled: { reason, atMs } } : current;
    });
    await this.#giveUpWaiting(id);
    if (!isNew) return;
    const message = { id: randomId('off'), type: 'webhook.disabled' };
    const marker = { id: message.id, message, body: '' };
    await history.open(id, marker, atMs, 'disabled', reason);
    this.#options.onDisabled(id, reason);
  }

  /** Removes it with its history, and drops what waits. */
  async remove(id: string): Promise<void> {
    const { store, onChanged } = this.#options;
    if (!(await store.remove(id))) throw notFound();
    await onChanged();
    await this.forget(id);
  }

  /** Clears away what there is of a removed webhook; what is under way may leave more. */
  async forget(id: string): Promise<void> {
    const { store, history, queues } = this.#options;
    await queues.remove(id);
    await history.remove(id);
    await store.forgetHealth(id);
  }

  /**
   * Gives it a new secret. The one before signs as well for a while: receivers may take either.
   *
   * @throws CodedError `invalid_secret`.
   */
  async rotateSecret(
    id: string,
    options: { secret?: string | undefined; keepPreviousMs?: number | undefined } = {},
  ): Promise<Webhook> {
    const { store, clock } = this.#options;
    const createdAtMs = clock.wallclockMs();
    const secret = options.secret === undefined ? generateSecret() : checkSecret(options.secret);
    const expiresAtMs = createdAtMs + (options.keepPreviousMs ?? KEEP_PREVIOUS_MS);
    const webhook = await store.update(id, (current) => {
      const previous = current.secrets.slice(0, 1).map((each) => ({ ...each, expiresAtMs }));
      return { ...current, secrets: [{ secret, createdAtMs }, ...previous] };
    });
    return found(webhook);
  }

  /** A page of the history, newest first. */
  async deliveries(
    id: string,
    page: { limit: number; before?: number | undefined },
  ): Promise<{ deliveries: Delivery[]; next: number | undefined }> {
    await this.#existing(id);
    return this.#options.history.list(id, page);
  }

  /**
   * Sends a delivery of the history again, under the same `webhook-id`, behind what waits.
   *
   * @throws CodedError `delivery_not_found`, `delivery_not_kept`, `delivery_pending`, `webhook_disabled`.
   */
  async redeliver(id: string, deliveryId: string): Promise<Delivery> {
    const { history, queues, clock } = this.#options;
    enabled(await this.#existing(id));
    const delivery = await history.find(id, deliveryId);
    const body = await history.bodyOf(id, deliveryId);
    if (delivery === undefined || body === undefined) {
      throw new CodedError(
        'delivery_not_found',
        'Cannot deliver again: the delivery must be in the history, got another id',
      );
    }
    if (body === '') {
      throw new CodedError(
        'delivery_not_kept',
        `Cannot deliver again: what was sent must be in the history, got one of a type that is not kept: ${delivery.type}`,
      );
    }
    // A process that died may have left it so without a place in the queue.
    if (delivery.status === 'pending' && !(await queues.isIdle(id))) {
      throw new CodedError(
        'delivery_pending',
        'Cannot deliver again: the delivery must have ended, got one that still waits',
      );
    }
    await history.note(id, deliveryId, { status: 'pending', atMs: clock.wallclockMs() });
    const jobId = `${deliveryId}.${randomBytes(6).toString('hex')}`;
    const laneKey = delivery.callId ?? delivery.eventId;
    const { status, error, updatedAtMs: atMs } = delivery;
    await this.#queue(id, { deliveryId, laneKey, jobId, body }, { status, error, atMs });
    return (await history.find(id, deliveryId)) ?? delivery;
  }

  /** Sends a message of the type `webhook.test`. @throws CodedError `webhook_disabled`. */
  async test(id: string): Promise<Delivery> {
    const { history, clock } = this.#options;
    enabled(await this.#existing(id));
    const atMs = clock.wallclockMs();
    const message: WebhookMessage = { id: randomId('msg'), type: 'webhook.test' };
    const wallclock = new Date(atMs).toISOString();
    const body = JSON.stringify({ version: 1, ...message, wallclock, data: { webhookId: id } });
    await history.open(id, { id: message.id, message, body }, atMs);
    const { id: deliveryId } = message;
    await this.#queue(
      id,
      { deliveryId, laneKey: deliveryId, jobId: deliveryId, body },
      { status: 'failed', error: 'not_queued', atMs },
    );
    const delivery = await history.find(id, message.id);
    if (delivery === undefined) throw notFound();
    return delivery;
  }

  async #giveUpWaiting(id: string): Promise<void> {
    const { history, queues, clock, onDropped } = this.#options;
    const waiting = await queues.backlog(id);
    await queues.drop(id);
    await history.dropPending(id, clock.wallclockMs());
    await onDropped(id, waiting);
  }

  /** Queues what the history has as pending; when that fails, it must not look as if it waited. */
  async #queue(id: string, delivery: Queued, before: DeliveryNews): Promise<void> {
    const { history, queues } = this.#options;
    const { deliveryId, laneKey, jobId, body } = delivery;
    try {
      await queues.add(id, laneKey, jobId, { deliveryId, body });
    } catch (error) {
      await history.note(id, deliveryId, before).catch(() => {});
      throw error;
    }
  }

  async #stateOf(webhook: Webhook): Promise<WebhookState> {
    const { store, queues } = this.#options;
    const [health, backlog] = await Promise.all([
      store.health(webhook.id),
      queues.backlog(webhook.id),
    ]);
    return { webhook, health, backlog };
  }

  async #existing(id: string): Promise<Webhook> {
    return found(await this.#options.store.find(id));
  }
}

function randomId(kind: 'wh' | 'msg' | 'off'): string {
  return `${kind}_${randomBytes(18).toString('base64url')}`;
}

function found(webhook: Webhook | undefined): Webhook {
  if (webhook !== undefined) return webhook;
  throw notFound();
}

function notFound(): CodedError {
  return new CodedError(
    'webhook_not_found',
    'Cannot find the webhook: its id must be one that POST /v1/webhooks gave, got another',
  );
}

function enabled(webhook: Webhook): void {
  if (webhook.disabled === undefined) return;
  throw new CodedError(
    'webhook_disabled',
    'Cannot send: the webhook must be on, got one that is off',
    { fix: 'Turn it on with PATCH {"enabled": true}.' },
  );
}
