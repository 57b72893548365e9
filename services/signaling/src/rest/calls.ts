import type { Clock } from '@earshot/async';
import { isSameGuid, normalisedId } from '@earshot/call';
import type { CallRecord, ListOptions, Registry } from '@earshot/registry';
import type { Tracer } from '@earshot/telemetry';
import { inSpan } from '@earshot/telemetry';
import type { FastifyInstance } from 'fastify';
import type { CallDriver } from '../calls/call-driver.js';
import type { CallStarter } from '../calls/call-starter.js';
import { viewOf } from '../calls/call-view.js';
import { serviceState, withService } from '../calls/service-state.js';
import { callOf } from './call-of.js';
import type { IdempotentRequests } from './idempotency.js';
import { keyOfCaller } from './idempotency.js';
import type { CallView, CreateCallBody, ListCallsQuery } from './schemas.js';
import { createCallBody, listCallsQuery } from './schemas.js';
import { validate } from './validate.js';

/** What the routes stand on. */
export interface CallRoutesOptions {
  readonly registry: Registry;
  readonly starter: CallStarter;
  readonly driver: CallDriver;
  readonly clock: Clock;
  readonly tracer: Tracer;
  readonly idempotent: IdempotentRequests;
  /** Events of a call in the queue so far. */
  publishedOf(callId: string): Promise<number>;
}

interface CallParams {
  Params: { id: string };
}

const READ = { config: { scope: 'calls:read' } } as const;
const WRITE = { config: { scope: 'calls:write' } } as const;

/** `/v1/calls` and the calls themselves. */
export function addCallRoutes(app: FastifyInstance, options: CallRoutesOptions): void {
  const { registry, starter, driver, clock, tracer, idempotent } = options;

  app.post('/v1/calls', WRITE, async (request, reply) => {
    const body = validate(createCallBody, request.body, 'body');
    const idempotencyKey = keyOfCaller(request);
    const parent = request.headers['traceparent'];
    await idempotent.checkBody(request, meaningOf(body));
    const record = await inSpan(tracer, 'POST /v1/calls', { parent }, async (span) => {
      const { traceparent } = span;
      const started = await starter.start({ ...body, idempotencyKey, traceparent });
      span.set({ callId: started.callId });
      return started;
    });
    reply.code(201).header('location', `/v1/calls/${record.callId}`);
    // The call exists now: that its events can't be counted must not turn that into a failure.
    return viewOf(record, await options.publishedOf(record.callId).catch(() => 0));
  });

  app.get('/v1/calls', READ, async (request) => {
    const page = await registry.listCalls(
      listOptionsOf(validate(listCallsQuery, request.query, 'query')),
    );
    return {
      calls: await Promise.all(page.calls.map(view)),
      ...(page.cursor === undefined ? {} : { nextCursor: page.cursor }),
    };
  });

  app.get<CallParams>('/v1/calls/:id', READ, async (request) =>
    view(await callOf(registry, request.params.id)),
  );

  app.delete<CallParams>('/v1/calls/:id', WRITE, async (request, reply) => {
    const { callId } = await callOf(registry, request.params.id);
    const record = await registry.updateCall(callId, (current) => hangUp(current, clock));
    driver.wake(callId);
    reply.code(202);
    return view(record);
  });

  async function view(record: CallRecord): Promise<CallView> {
    return viewOf(record, await options.publishedOf(record.callId));
  }
}

/** The same for bodies that only write the same differently. */
function meaningOf({ meetingId, tenantId, ...body }: CreateCallBody): object {
  return {
    ...body,
    meetingId: meetingId?.replaceAll(/\D/g, ''),
    tenantId: tenantId === undefined ? undefined : normalisedId(tenantId),
  };
}

function listOptionsOf({ limit, cursor, state, since, tenantId }: ListCallsQuery): ListOptions {
  return {
    limit,
    ...(cursor === undefined ? {} : { cursor }),
    ...(since === undefined ? {} : { sinceMs: Date.parse(since) }),
    matches: (call) =>
      (state === undefined || call.model.state === state) &&
      (tenantId === undefined || isSameGuid(call.tenantId, tenantId)),
  };
}

/** Wanting a call to end is stored first and done after: it survives this process. */
function hangUp(record: CallRecord, clock: Clock): CallRecord {
  const { hangUpAtMs, end } = serviceState(record);
  if (hangUpAtMs !== undefined || end !== undefined) return record;
  return withService(record, { hangUpAtMs: clock.wallclockMs() });
}
