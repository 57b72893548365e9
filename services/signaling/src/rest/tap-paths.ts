import type { z } from 'zod';
import {
  createWebhookBody,
  deliveryListView,
  deliveryView,
  listDeliveriesQuery,
  newWebhookView,
  patchWebhookBody,
  rotateSecretBody,
  webhookListView,
  webhookView,
} from './webhook-schemas.js';

type Json = Readonly<Record<string, unknown>>;

/** How the document's parts are written; the same for all paths. */
export interface PathKit {
  answers(status: number, description: string, schema: string): Json;
  queryParameters(schema: z.ZodType): Json[];
  body(schema: z.ZodType): Json;
  readonly problem: Json;
}

/** What webhooks and live streams add to the named schemas. */
export const TAP_SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  Webhook: webhookView,
  NewWebhook: newWebhookView,
  WebhookList: webhookListView,
  Delivery: deliveryView,
  DeliveryList: deliveryListView,
};

/** The paths of webhooks and live streams. */
export function tapPaths({ answers, queryParameters, body, problem }: PathKit): Json {
  const webhook = [pathParameter('id')];
  const delivery = [...webhook, pathParameter('deliveryId')];
  const stream = {
    200: { description: 'The stream', content: { 'text/event-stream': {} } },
    default: problem,
  };
  return {
    '/v1/webhooks': {
      post: {
        summary: 'Have events posted to a URL; the answer alone shows the secret',
        requestBody: { required: true, ...body(createWebhookBody) },
        responses: answers(201, 'The webhook', 'NewWebhook'),
      },
      get: {
        summary: 'All webhooks, oldest first',
        responses: answers(200, 'The webhooks', 'WebhookList'),
      },
    },
    '/v1/webhooks/{id}': {
      get: {
        summary: 'One webhook',
        parameters: webhook,
        responses: answers(200, 'The webhook', 'Webhook'),
      },
      patch: {
        summary: 'Turn it on or off',
        parameters: webhook,
        requestBody: { required: true, ...body(patchWebhookBody) },
        responses: answers(200, 'The webhook', 'Webhook'),
      },
      delete: {
        summary: 'Remove it with its history',
        parameters: webhook,
        responses: { 204: { description: 'Removed' }, default: problem },
      },
    },
    '/v1/webhooks/{id}/secret': {
      post: {
        summary: 'Give it a new secret; the one before signs as well for a while',
        parameters: webhook,
        requestBody: { required: false, ...body(rotateSecretBody) },
        responses: answers(200, 'The webhook', 'NewWebhook'),
      },
    },
    '/v1/webhooks/{id}/test': {
      post: {
        summary: 'Send a message of the type webhook.test',
        parameters: webhook,
        responses: answers(202, 'The delivery', 'Delivery'),
      },
    },
    '/v1/webhooks/{id}/deliveries': {
      get: {
        summary: 'What became of its deliveries, newest first',
        parameters: [...webhook, ...queryParameters(listDeliveriesQuery)],
        responses: answers(200, 'A page of deliveries', 'DeliveryList'),
      },
    },
    '/v1/webhooks/{id}/deliveries/{deliveryId}/redeliver': {
      post: {
        summary: 'Send it again',
        parameters: delivery,
        responses: answers(202, 'The delivery', 'Delivery'),
      },
    },
    '/v1/events': {
      get: {
        summary: 'Events of all calls as they come, as server-sent events',
        parameters: [LAST_EVENT_ID],
        responses: stream,
      },
    },
    '/v1/calls/{id}/events': {
      get: {
        summary: "One call's events as they come, as server-sent events",
        parameters: [pathParameter('id'), LAST_EVENT_ID],
        responses: stream,
      },
    },
  };
}

const LAST_EVENT_ID = {
  name: 'Last-Event-ID',
  in: 'header',
  description: 'Goes on after this event, or with the oldest one kept.',
  schema: { type: 'string', maxLength: 500 },
} as const;

function pathParameter(name: string): Json {
  return { name, in: 'path', required: true, schema: { type: 'string' } };
}
