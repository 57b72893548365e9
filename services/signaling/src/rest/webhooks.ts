import type { Clock } from '@earshot/async';
import type { Delivery, Webhook, WebhookAdmin, WebhookState } from '@earshot/webhooks';
import type { FastifyInstance } from 'fastify';
import type { IdempotentRequests } from './idempotency.js';
import { paged, pageQuery } from './paging.js';
import { validate } from './validate.js';
import type {
  DeliveryView,
  NewWebhookView,
  WebhookListView,
  WebhookView,
} from './webhook-schemas.js';
import {
  createWebhookBody,
  listDeliveriesQuery,
  patchWebhookBody,
  rotateSecretBody,
} from './webhook-schemas.js';

/** What the routes stand on. */
export interface WebhookRoutesOptions {
  readonly admin: WebhookAdmin;
  readonly clock: Clock;
  readonly idempotent: IdempotentRequests;
}

interface WebhookParams {
  Params: { id: string };
}

interface DeliveryParams {
  Params: { id: string; deliveryId: string };
}

const MANAGE = { config: { scope: 'webhooks:manage' } } as const;

/** `/v1/webhooks` and what lies below. */
export function addWebhookRoutes(
  app: FastifyInstance,
  { admin, clock, idempotent }: WebhookRoutesOptions,
): void {
  app.post('/v1/webhooks', MANAGE, async (request, reply) => {
    const body = validate(createWebhookBody, request.body, 'body');
    return idempotent.once(request, reply, {
      body,
      async handle() {
        const webhook = await admin.create(body);
        const location = `/v1/webhooks/${webhook.id}`;
        return { status: 201, location, body: await withSecret(webhook) };
      },
    });
  });

  app.get('/v1/webhooks', MANAGE, async ({ query }): Promise<WebhookListView> => {
    const { items, next } = paged(await admin.list(), ageOf, validate(pageQuery, query, 'query'));
    return { webhooks: items.map(view), ...next };
  });

  app.get<WebhookParams>('/v1/webhooks/:id', MANAGE, async ({ params }) =>
    view(await admin.find(params.id)),
  );

  app.patch<WebhookParams>('/v1/webhooks/:id', MANAGE, async ({ params: { id }, body }) => {
    const { enabled } = validate(patchWebhookBody, body, 'body');
    if (enabled) return view(await admin.enable(id));
    await admin.disable(id, 'requested');
    return view(await admin.find(id));
  });

  app.delete<WebhookParams>('/v1/webhooks/:id', MANAGE, async ({ params }, reply) => {
    await admin.remove(params.id);
    return reply.code(204).send();
  });

  app.post<WebhookParams>('/v1/webhooks/:id/secret', MANAGE, async (request, reply) => {
    const body = validate(rotateSecretBody, request.body, 'body');
    return idempotent.once(request, reply, {
      body,
      async handle() {
        const webhook = await admin.rotateSecret(request.params.id, body);
        return { status: 200, body: await withSecret(webhook) };
      },
    });
  });

  app.post<WebhookParams>('/v1/webhooks/:id/test', MANAGE, (request, reply) =>
    idempotent.once(request, reply, {
      body: undefined,
      handle: async () => ({
        status: 202,
        body: deliveryView(await admin.test(request.params.id)),
      }),
    }),
  );

  app.get<WebhookParams>('/v1/webhooks/:id/deliveries', MANAGE, async ({ params, query }) => {
    const { limit, cursor } = validate(listDeliveriesQuery, query, 'query');
    const { deliveries, next } = await admin.deliveries(params.id, { limit, before: cursor });
    return {
      deliveries: deliveries.map(deliveryView),
      ...(next === undefined ? {} : { nextCursor: String(next) }),
    };
  });

  app.post<DeliveryParams>(
    '/v1/webhooks/:id/deliveries/:deliveryId/redeliver',
    MANAGE,
    (request, reply) => {
      const { id, deliveryId } = request.params;
      return idempotent.once(request, reply, {
        body: undefined,
        handle: async () => ({
          status: 202,
          body: deliveryView(await admin.redeliver(id, deliveryId)),
        }),
      });
    },
  );

  async function withSecret({ id, secrets }: Webhook): Promise<NewWebhookView> {
    return { ...view(await admin.find(id)), secret: secrets[0]?.secret ?? '' };
  }

  function view({ webhook, health, backlog }: WebhookState): WebhookView {
    const { id, url, eventTypes, callId, description, disabled } = webhook;
    const { delivered, failed, dropped } = health;
    const nowMs = clock.wallclockMs();
    return {
      ...{ id, url, eventTypes, callId, description },
      enabled: disabled === undefined,
      disabled: disabled && { reason: disabled.reason, at: iso(disabled.atMs) },
      createdAt: iso(webhook.createdAtMs),
      failingSince: isoOrNone(health.failingSinceMs),
      backlog,
      counts: { delivered, failed, dropped },
      secrets: webhook.secrets
        .filter(({ expiresAtMs = Number.POSITIVE_INFINITY }) => expiresAtMs > nowMs)
        .map(({ createdAtMs, expiresAtMs }) => ({
          createdAt: iso(createdAtMs),
          expiresAt: isoOrNone(expiresAtMs),
        })),
    };
  }
}

/** Sorts by age, and is unique. */
function ageOf({ webhook: { createdAtMs, id } }: WebhookState): string {
  return `${String(createdAtMs).padStart(16, '0')} ${id}`;
}

function deliveryView(delivery: Delivery): DeliveryView {
  const { createdAtMs, updatedAtMs, nextAttemptAtMs, ...rest } = delivery;
  return {
    ...rest,
    createdAt: iso(createdAtMs),
    updatedAt: iso(updatedAtMs),
    nextAttemptAt: isoOrNone(nextAttemptAtMs),
  };
}

function iso(wallclockMs: number): string {
  return new Date(wallclockMs).toISOString();
}

function isoOrNone(wallclockMs: number | undefined): string | undefined {
  return wallclockMs === undefined ? undefined : iso(wallclockMs);
}
