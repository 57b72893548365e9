import { pageQuery } from '../paging.js';
import {
  createWebhookBody,
  deliveryListView,
  deliveryView,
  eventStreamQuery,
  listDeliveriesQuery,
  newWebhookView,
  patchWebhookBody,
  rotateSecretBody,
  webhookListView,
  webhookView,
} from '../webhook-schemas.js';
import type { NamedSchemas, RouteDescriptions } from './route-description.js';

const STREAM = {
  status: 200,
  description: 'The stream, as server-sent events; it does not end by itself',
  content: { 'text/event-stream': { schema: { type: 'string' } } },
} as const;

/** Webhooks and live streams. */
export const TAP_ROUTES: RouteDescriptions = {
  'GET /v1/events': {
    tag: 'events',
    summary: 'Events of all calls as they come',
    query: eventStreamQuery,
    headers: ['Last-Event-ID'],
    answer: STREAM,
    problems: ['too_many_event_streams'],
  },
  'GET /v1/calls/{id}/events': {
    tag: 'events',
    summary: "One call's events as they come",
    query: eventStreamQuery,
    headers: ['Last-Event-ID'],
    answer: STREAM,
    problems: ['call_not_found', 'too_many_event_streams'],
  },
  'POST /v1/webhooks': {
    headers: ['Idempotency-Key'],
    tag: 'webhooks',
    summary: 'Have events posted to a URL; the answer alone shows the secret',
    body: { schema: createWebhookBody },
    answer: { status: 201, description: 'The webhook', schema: 'NewWebhook' },
    problems: ['too_many_webhooks', 'invalid_webhook_url', 'address_not_allowed', 'invalid_secret'],
  },
  'GET /v1/webhooks': {
    tag: 'webhooks',
    summary: 'All webhooks, oldest first',
    query: pageQuery,
    answer: { status: 200, description: 'A page of webhooks', schema: 'WebhookList' },
    problems: ['invalid_cursor'],
  },
  'GET /v1/webhooks/{id}': {
    tag: 'webhooks',
    summary: 'One webhook',
    answer: { status: 200, description: 'The webhook', schema: 'Webhook' },
    problems: ['webhook_not_found'],
  },
  'PATCH /v1/webhooks/{id}': {
    tag: 'webhooks',
    summary: 'Turn it on or off',
    body: { schema: patchWebhookBody },
    answer: { status: 200, description: 'The webhook', schema: 'Webhook' },
    problems: ['webhook_not_found'],
  },
  'DELETE /v1/webhooks/{id}': {
    tag: 'webhooks',
    summary: 'Remove it with its history',
    answer: { status: 204, description: 'Removed' },
    problems: ['webhook_not_found'],
  },
  'POST /v1/webhooks/{id}/secret': {
    headers: ['Idempotency-Key'],
    tag: 'webhooks',
    summary: 'Give it a new secret; the one before signs as well for a while',
    body: { schema: rotateSecretBody, required: false },
    answer: { status: 200, description: 'The webhook', schema: 'NewWebhook' },
    problems: ['webhook_not_found', 'invalid_secret'],
  },
  'POST /v1/webhooks/{id}/test': {
    headers: ['Idempotency-Key'],
    tag: 'webhooks',
    summary: 'Send a message of the type webhook.test',
    answer: { status: 202, description: 'The delivery', schema: 'Delivery' },
    problems: ['webhook_not_found', 'webhook_disabled'],
  },
  'GET /v1/webhooks/{id}/deliveries': {
    tag: 'webhooks',
    summary: 'What became of its deliveries, newest first',
    query: listDeliveriesQuery,
    answer: { status: 200, description: 'A page of deliveries', schema: 'DeliveryList' },
    problems: ['webhook_not_found'],
  },
  'POST /v1/webhooks/{id}/deliveries/{deliveryId}/redeliver': {
    headers: ['Idempotency-Key'],
    tag: 'webhooks',
    summary: 'Send it again',
    answer: { status: 202, description: 'The delivery', schema: 'Delivery' },
    problems: [
      ...(['webhook_not_found', 'webhook_disabled'] as const),
      ...(['delivery_not_found', 'delivery_not_kept', 'delivery_pending'] as const),
    ],
  },
};

export const TAP_SCHEMAS: NamedSchemas = {
  Webhook: webhookView,
  NewWebhook: newWebhookView,
  WebhookList: webhookListView,
  Delivery: deliveryView,
  DeliveryList: deliveryListView,
};
