import { isSameGuid, parseNotifications } from '@earshot/call';
import type { CallbackAuth } from '@earshot/graph';
import type { CallRecord, Registry } from '@earshot/registry';
import type { Tracer } from '@earshot/telemetry';
import { inSpan } from '@earshot/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { CallDriver } from './calls/call-driver.js';
import type { CallbackBacklog } from './calls/callback-backlog.js';
import { serviceState } from './calls/service-state.js';
import type { SignalingMetrics } from './metrics.js';
import { Problem } from './rest/problem.js';

/** Graph sends the whole roster on every change; that of a 1000-person meeting is about 1 MB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** What the route stands on. */
export interface CallbackRouteOptions {
  readonly auth: CallbackAuth;
  readonly registry: Registry;
  readonly driver: CallDriver;
  readonly backlog: CallbackBacklog;
  readonly metrics: SignalingMetrics;
  readonly tracer: Tracer;
}

interface AttemptParams {
  Params: { attemptKey: string };
}

/**
 * `POST /v1/callbacks/:attemptKey`, where Graph notifies of a call. Who may is decided before the
 * body is read; 202 is answered only once the notification is stored.
 */
export function addCallbackRoute(app: FastifyInstance, options: CallbackRouteOptions): void {
  const { auth, registry, driver, backlog, metrics, tracer } = options;
  const calls = new WeakMap<FastifyRequest, CallRecord>();

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.post<AttemptParams>('/v1/callbacks/:attemptKey', {
    bodyLimit: MAX_BODY_BYTES,
    async onRequest(request) {
      try {
        calls.set(request, await callOf(request.params.attemptKey, request));
      } catch (error) {
        metrics.callbacks.add(1, { outcome: 'refused' });
        throw error;
      }
    },
    async handler(request, reply) {
      const raw = textOf(request.body, request.headers['content-type']);
      const call = calls.get(request);
      if (call === undefined || raw === undefined || !isReadable(raw)) {
        metrics.callbacks.add(1, { outcome: 'unreadable' });
        throw new Problem({
          status: 400,
          code: 'invalid_notification',
          title: 'Invalid notification',
          detail:
            'Cannot take the notification: it must be commsNotifications in JSON, got another',
        });
      }
      const { callId } = call;
      const { traceparent: parent } = serviceState(call);
      await inSpan(tracer, 'graph.callback', { parent, attributes: { callId } }, () =>
        registry.appendNotification(callId, raw),
      );
      backlog.accepted(callId);
      metrics.callbacks.add(1, { outcome: 'accepted' });
      reply.code(202).send();
      driver.wake(callId);
      return reply;
    },
  });

  async function callOf(attemptKey: string, request: FastifyRequest): Promise<CallRecord> {
    const verdict = await auth.verify(request.headers.authorization);
    if (!verdict.ok) throw refusal(verdict.status, verdict.code, verdict.message);
    const callId = await registry.callIdOfAttempt(attemptKey);
    const record = callId === undefined ? undefined : await registry.readCall(callId);
    if (record === undefined) {
      throw refusal(404, 'call_not_found', 'Cannot take the notification: no such call');
    }
    if (!isSameGuid(record.tenantId, verdict.tenantId)) {
      throw refusal(
        403,
        'wrong_tenant',
        "Cannot take the notification: its token must be of the call's tenant, got another",
      );
    }
    return record;
  }
}

function refusal(status: number, code: string, detail: string): Problem {
  return new Problem({ status, code, title: 'Notification refused', detail });
}

function isReadable(raw: string): boolean {
  try {
    return parseNotifications(JSON.parse(raw)).ok;
  } catch {
    return false;
  }
}

/** Graph has been seen to send other charsets than UTF-8. */
function textOf(body: unknown, contentType: string | undefined): string | undefined {
  if (!(body instanceof Uint8Array)) return undefined;
  const charset = /charset="?([\w-]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}
