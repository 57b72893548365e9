import { signalingClient } from '../connection.js';
import type { DeliveryView, WebhookView } from '../signaling-client.js';

export interface WebhooksAddOptions {
  /** Event types; none for all. */
  readonly type: readonly string[];
  /** A call's id. */
  readonly call?: string;
}

const NEWEST = 100;

/** `earshot webhooks list`: id, state, backlog and URL, one a line. */
export async function webhooksList(): Promise<void> {
  for (const webhook of await signalingClient().webhooks()) {
    console.log(`${webhook.id} ${stateOf(webhook)} ${webhook.backlog} ${webhook.url}`);
  }
}

/** `earshot webhooks add <url>`: prints the id and the secret, which is not shown again. */
export async function webhooksAdd(url: string, { type, call }: WebhooksAddOptions): Promise<void> {
  const { id, secret } = await signalingClient().addWebhook({
    url,
    ...(type.length === 0 ? {} : { eventTypes: type }),
    ...(call === undefined ? {} : { callId: call }),
  });
  console.log(`${id} ${secret}`);
}

/** `earshot webhooks remove <id>`: with its history. */
export async function webhooksRemove(id: string): Promise<void> {
  await signalingClient().removeWebhook(id);
}

/** `earshot webhooks deliveries <id>`: the newest, one a line. */
export async function webhooksDeliveries(id: string): Promise<void> {
  for (const delivery of await signalingClient().deliveries(id, NEWEST)) {
    console.log(deliveryLine(delivery));
  }
}

/** `earshot webhooks redeliver <id> <deliveryId>`: behind what waits. */
export async function webhooksRedeliver(id: string, deliveryId: string): Promise<void> {
  console.log(deliveryLine(await signalingClient().redeliver(id, deliveryId)));
}

function stateOf({ enabled, disabled }: WebhookView): string {
  return enabled ? 'on' : `off:${disabled?.reason ?? 'unknown'}`;
}

function deliveryLine(delivery: DeliveryView): string {
  const { id, updatedAt, type, status, attempts, responseStatus, error, durationMs } = delivery;
  const answer =
    error === undefined ? responseStatus : [responseStatus, error].filter(Boolean).join(':');
  const took = durationMs === undefined ? '-' : `${durationMs}ms`;
  return `${id} ${updatedAt} ${type} ${status} ${attempts} ${answer ?? '-'} ${took}`;
}
