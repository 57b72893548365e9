import type { EventType } from '@earshot/events';
import { EVENT_TYPES } from '@earshot/events';
import type { DeliveryStatus, DisableReason } from '@earshot/webhooks';
import { z } from 'zod';

// What crosses the REST API of webhooks and live streams.

/** Body of `POST /v1/webhooks`. */
export interface CreateWebhookBody {
  readonly url: string;
  readonly eventTypes?: readonly EventType[] | undefined;
  readonly callId?: string | undefined;
  readonly description?: string | undefined;
  readonly secret?: string | undefined;
}

/** Body of `POST /v1/webhooks/:id/secret`. */
export interface RotateSecretBody {
  readonly secret?: string | undefined;
  readonly keepPreviousMs?: number | undefined;
}

/** A webhook as the REST API shows it; times are ISO 8601 in UTC. */
export interface WebhookView {
  readonly id: string;
  readonly url: string;
  readonly eventTypes?: readonly string[] | undefined;
  readonly callId?: string | undefined;
  readonly description?: string | undefined;
  readonly enabled: boolean;
  readonly disabled?: { readonly reason: DisableReason; readonly at: string } | undefined;
  readonly createdAt: string;
  readonly failingSince?: string | undefined;
  readonly backlog: number;
  readonly counts: {
    readonly delivered: number;
    readonly failed: number;
    readonly dropped: number;
  };
  readonly secrets: readonly {
    readonly createdAt: string;
    readonly expiresAt?: string | undefined;
  }[];
}

/** A webhook with the secret that nobody is shown again. */
export interface NewWebhookView extends WebhookView {
  readonly secret: string;
}

/** A delivery as the REST API shows it. */
export interface DeliveryView {
  readonly id: string;
  readonly eventId: string;
  readonly type: string;
  readonly callId?: string | undefined;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly nextAttemptAt?: string | undefined;
  readonly responseStatus?: number | undefined;
  readonly durationMs?: number | undefined;
  readonly error?: string | undefined;
}

/** A page of deliveries. */
export interface DeliveryListView {
  readonly deliveries: readonly DeliveryView[];
  readonly nextCursor?: string | undefined;
}

/** Answer of `GET /v1/webhooks`. */
export interface WebhookListView {
  readonly webhooks: readonly WebhookView[];
  readonly nextCursor?: string | undefined;
}

/** Query of `GET /v1/webhooks/:id/deliveries`. */
export interface ListDeliveriesQuery {
  readonly limit: number;
  readonly cursor?: number | undefined;
}

/** Query of the live streams. */
export interface EventStreamQuery {
  /** Absent for all. */
  readonly types?: ReadonlySet<EventType> | undefined;
}

/** Of a name that is none, in an error. */
const MAX_SHOWN = 50;
const KEEP_PREVIOUS_MAX_MS = 30 * 86_400_000;
const secret = z
  .string()
  .max(100)
  .optional()
  .describe('whsec_ and 24 to 64 bytes in base64; one is made when absent');

/** Checks `CreateWebhookBody`. */
export const createWebhookBody: z.ZodType<CreateWebhookBody> = z.strictObject({
  url: z.string().min(1).max(2048).describe('https, or http to this machine where that is allowed'),
  eventTypes: z
    .array(z.enum(EVENT_TYPES))
    .min(1)
    .optional()
    .describe('Only events of these types; all when absent'),
  callId: z.string().min(1).max(200).optional().describe("Only this call's events"),
  description: z.string().max(200).optional(),
  secret,
});

/** Checks the body of `PATCH /v1/webhooks/:id`. */
export const patchWebhookBody: z.ZodType<{ readonly enabled: boolean }> = z.strictObject({
  enabled: z.boolean().describe('false gives up what waits; true tells what comes from then on'),
});

/** Checks `RotateSecretBody`; no body is an empty one. */
export const rotateSecretBody: z.ZodType<RotateSecretBody> = z.preprocess(
  (body) => body ?? {},
  z.strictObject({
    secret,
    keepPreviousMs: z
      .number()
      .int()
      .min(0)
      .max(KEEP_PREVIOUS_MAX_MS)
      .optional()
      .describe('How long the secret before signs as well; 24 hours when absent'),
  }),
);

/** Checks `ListDeliveriesQuery`. */
export const listDeliveriesQuery: z.ZodType<ListDeliveriesQuery> = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(25),
  cursor: z.coerce.number().int().min(0).optional(),
});

/** Checks the `Last-Event-ID` header. */
export const lastEventId: z.ZodType<string | undefined> = z.string().max(500).optional();

const count = z.number().int();
const webhookShape = {
  id: z.string(),
  url: z.string(),
  eventTypes: z.array(z.string()).optional(),
  callId: z.string().optional(),
  description: z.string().optional(),
  enabled: z.boolean(),
  disabled: z
    .object({ reason: z.enum(['requested', 'gone', 'failing']), at: z.iso.datetime() })
    .optional(),
  createdAt: z.iso.datetime(),
  failingSince: z.iso.datetime().optional().describe('No delivery has arrived since'),
  backlog: count.describe('Deliveries that wait for their turn or their next attempt'),
  counts: z.object({ delivered: count, failed: count, dropped: count }),
  secrets: z
    .array(z.object({ createdAt: z.iso.datetime(), expiresAt: z.iso.datetime().optional() }))
    .describe('Those that sign now, newest first'),
};

/** Describes `WebhookView`. */
export const webhookView: z.ZodType<WebhookView> = z.object(webhookShape);

/** Describes `NewWebhookView`. */
export const newWebhookView: z.ZodType<NewWebhookView> = z.object({
  ...webhookShape,
  secret: z.string().describe('Shown here and never again'),
});

/** Describes the answer of `GET /v1/webhooks`. */
export const webhookListView: z.ZodType<WebhookListView> = z.object({
  webhooks: z.array(webhookView),
  nextCursor: z.string().optional(),
});

/** Describes `DeliveryView`. */
export const deliveryView: z.ZodType<DeliveryView> = z.object({
  id: z.string().describe('The webhook-id that the endpoint sees'),
  eventId: z.string(),
  type: z.string(),
  callId: z.string().optional(),
  status: z.enum(['pending', 'delivered', 'failed', 'dropped', 'disabled']),
  attempts: count,
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  nextAttemptAt: z.iso.datetime().optional(),
  responseStatus: count.optional().describe('Of the last attempt, as the next two'),
  durationMs: count.optional(),
  error: z.string().optional().describe('Stable code'),
});

/** Describes `DeliveryListView`. */
export const deliveryListView: z.ZodType<DeliveryListView> = z.object({
  deliveries: z.array(deliveryView),
  nextCursor: z.string().optional(),
});

/** Checks `EventStreamQuery`. Strict: a filter whose name is misspelt would let everything through. */
export const eventStreamQuery: z.ZodType<EventStreamQuery> = z.strictObject({
  types: z
    .string()
    .transform((text, context) => {
      const types = new Set<EventType>();
      for (const name of text.split(',')) {
        const named = EVENT_TYPES.filter((type) => isNamed(type, name.trim()));
        if (named.length === 0) {
          const rule = 'must be types of events, such as tone.detected or transcript.*';
          const message = `${rule}, got ${JSON.stringify(name.trim().slice(0, MAX_SHOWN))}`;
          context.addIssue({ code: 'custom', message });
          return z.NEVER;
        }
        for (const type of named) types.add(type);
      }
      return types;
    })
    .optional()
    .describe(
      'Only events of these types, with commas; `transcript.*` stands for all that begin so',
    ),
});

function isNamed(type: EventType, name: string): boolean {
  return type === name || (/^\w+\.\*$/.test(name) && type.startsWith(name.slice(0, -1)));
}
