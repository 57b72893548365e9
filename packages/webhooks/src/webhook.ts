/** Why a webhook is off: by request, by the endpoint's 410, or for failing too long. */
export type DisableReason = 'requested' | 'gone' | 'failing';

/** A secret in use. */
export interface WebhookSecret {
  readonly secret: string;
  readonly createdAtMs: number;
  /** When it stops to sign, Unix ms; absent for the newest. */
  readonly expiresAtMs?: number | undefined;
}

/** Where events go. Times are Unix ms. */
export interface Webhook {
  readonly id: string;
  readonly url: string;
  /** Only these types; absent for all. */
  readonly eventTypes?: readonly string[] | undefined;
  /** Only this call's; absent for all. */
  readonly callId?: string | undefined;
  readonly description?: string | undefined;
  readonly createdAtMs: number;
  /** Newest first; two while one takes the place of the other. */
  readonly secrets: readonly WebhookSecret[];
  /** Absent while it is on. */
  readonly disabled?: { readonly reason: DisableReason; readonly atMs: number } | undefined;
}

/** What is known of how a webhook does. */
export interface WebhookHealth {
  readonly delivered: number;
  readonly failed: number;
  /** Deliveries given up because too many waited, or because the webhook was turned off. */
  readonly dropped: number;
  /** When the failures began that no success has ended, Unix ms. */
  readonly failingSinceMs: number | undefined;
}

/** `disabled` marks the moment when the webhook was turned off. */
export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'dropped' | 'disabled';

/** One message to one webhook, with all its attempts. Times are Unix ms. */
export interface Delivery {
  /** The `webhook-id` that the receiver sees. */
  readonly id: string;
  readonly eventId: string;
  readonly type: string;
  readonly callId: string | undefined;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** When it is tried again. */
  readonly nextAttemptAtMs: number | undefined;
  /** Of the last attempt. */
  readonly responseStatus: number | undefined;
  /** Of the last attempt. */
  readonly durationMs: number | undefined;
  /** Of the last attempt; a stable code. */
  readonly error: string | undefined;
}

/** What a webhook can be sent: any JSON that says what it is. */
export interface WebhookMessage {
  readonly id: string;
  readonly type: string;
  readonly callId?: string;
}

/** Whether a message is for a webhook. */
export function isFor(webhook: Webhook, message: WebhookMessage): boolean {
  if (webhook.disabled !== undefined) return false;
  if (webhook.callId !== undefined && webhook.callId !== message.callId) return false;
  return webhook.eventTypes === undefined || webhook.eventTypes.includes(message.type);
}

/** The secrets that sign at a time, newest first. */
export function activeSecrets(webhook: Webhook, wallclockMs: number): string[] {
  return webhook.secrets
    .filter(({ expiresAtMs }) => expiresAtMs === undefined || expiresAtMs > wallclockMs)
    .map(({ secret }) => secret);
}
