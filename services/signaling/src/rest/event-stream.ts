import type { Registry } from '@earshot/registry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EventHub } from '../taps/event-hub.js';
import { callOf } from './call-of.js';
import { validate } from './validate.js';
import { eventStreamQuery, lastEventId } from './webhook-schemas.js';

/** What the routes stand on. */
export interface EventStreamRoutesOptions {
  readonly registry: Registry;
  readonly hub: EventHub;
}

interface CallParams {
  Params: { id: string };
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // Else nginx collects events before it passes them on.
  'x-accel-buffering': 'no',
} as const;

/** `/v1/events` and `/v1/calls/:id/events`: events as they come, as server-sent events. */
export function addEventStreamRoutes(
  app: FastifyInstance,
  { registry, hub }: EventStreamRoutesOptions,
): void {
  // A HEAD would take a place among the streams and never end.
  const options = { exposeHeadRoute: false, config: { scope: 'events:read' } } as const;

  app.get('/v1/events', options, (request, reply) => open(request, reply, undefined));

  app.get<CallParams>('/v1/calls/:id/events', options, async (request, reply) => {
    const { callId } = await callOf(registry, request.params.id);
    return open(request, reply, callId);
  });

  async function open(
    request: FastifyRequest,
    reply: FastifyReply,
    callId: string | undefined,
  ): Promise<FastifyReply> {
    const { types } = validate(eventStreamQuery, request.query, 'query');
    await hub.open({
      callId,
      types,
      lastEventId: validate(lastEventId, request.headers['last-event-id'], 'header'),
      begin() {
        reply.hijack();
        reply.raw.writeHead(200, HEADERS);
        return reply.raw;
      },
    });
    return reply;
  }
}
