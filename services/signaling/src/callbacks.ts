import { CodedError } from '@earshot/async';
import { holdsNotifications, isSameGuid } from '@earshot/call';
import type { Registry } from '@earshot/registry';
import type { Tracer } from '@earshot/telemetry';
import { inSpan } from '@earshot/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { readCallback } from './callback-body.js';
import type { CallbackVerifier } from './callback-verdicts.js';
import type { CallDriver } from './calls/call-driver.js';
import type { CallbackAttempt } from './calls/callback-attempts.js';
import { CallbackAttempts } from './calls/callback-attempts.js';
import type { CallbackBacklog } from './calls/callback-backlog.js';
import type { OrphanLegs } from './calls/orphan-legs.js';
import type { RecordedParties } from './incoming/recorded-parties.js';
import { partyChangeOf } from './incoming/recorded-parties.js';
import type { SignalingMetrics } from './metrics.js';
import { Problem } from './rest/problem.js';

/** Graph sends the whole roster on every change; that of a 1000-person meeting is about 1 MB. */
export const MAX_CALLBACK_BYTES: number = 4 * 1024 * 1024;
const MAX_MESSAGE_ID_CHARACTERS = 200;

/** What the route stands on. */
export interface CallbackRouteOptions {
  readonly auth: CallbackVerifier;
  readonly registry: Registry;
  readonly driver: CallDriver;
  readonly backlog: CallbackBacklog;
  readonly orphans: OrphanLegs;
  readonly parties: RecordedParties;
  readonly metrics: SignalingMetrics;
  readonly tracer: Tracer;
}

interface AttemptParams {
  Params: { attemptKey: string };
}

/** Who sends a callback, as its token says, and of which call. */
interface Sender {
  readonly tenantId: string;
  /** Undefined when no call is known (any more) by this address. */
  readonly attempt: CallbackAttempt | undefined;
}

/**
 * `POST /v1/callbacks/:attemptKey`, where Graph notifies of a call. Who may is decided before the
 * body is read; 202 is answered only once the notification is stored.
 */
export function addCallbackRoute(app: FastifyInstance, options: CallbackRouteOptions): void {
  const { auth, registry, driver, backlog, orphans, metrics, tracer } = options;
  const attempts = new CallbackAttempts(registry);
  const senders = new WeakMap<FastifyRequest, Sender>();

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  app.post<AttemptParams>('/v1/callbacks/:attemptKey', {
    bodyLimit: MAX_CALLBACK_BYTES,
    async onRequest(request) {
      try {
        senders.set(request, await senderOf(request.params.attemptKey, request));
      } catch (error) {
        metrics.callbacks.add(1, { outcome: 'refused' });
        throw error;
      }
    },
    async handler(request, reply) {
      const { attemptKey } = request.params;
      const sender = senders.get(request);
      const content = readCallback(request.body, request.headers['content-type']);
      const party = partyChangeOf(content?.value);
      if (party !== undefined && sender?.attempt !== undefined) {
        metrics.callbacks.add(1, { outcome: 'accepted' });
        return options.parties.reply(sender.attempt.callId, party, reply);
      }
      if (sender === undefined || content === undefined || !holdsNotifications(content.value)) {
        metrics.callbacks.add(1, { outcome: 'unreadable' });
        throw UNREADABLE;
      }
      const { attempt, tenantId } = sender;
      const messageId = messageIdOf(request);
      const outcome =
        attempt === undefined
          ? 'forgotten'
          : await store(attempt, { raw: content.raw, attemptKey, ...messageId });
      if (attempt === undefined || outcome === 'forgotten') {
        attempts.forget(attemptKey);
        metrics.callbacks.add(1, { outcome: 'refused' });
        orphans.found(tenantId, content.value);
        throw refusal(404, 'call_not_found', 'Cannot take the notification: no such call');
      }
      backlog.accepted(attempt.callId);
      metrics.callbacks.add(1, { outcome: outcome === 'duplicate' ? outcome : 'accepted' });
      reply.code(202).send();
      driver.wake(attempt.callId);
      return reply;
    },
  });

  async function store(
    { callId, traceparent: parent }: CallbackAttempt,
    body: { raw: string; attemptKey: string; messageId?: string },
  ): Promise<'stored' | 'duplicate' | 'forgotten'> {
    try {
      return await inSpan(tracer, 'graph.callback', { parent, attributes: { callId } }, () =>
        registry.appendNotification(callId, body),
      );
    } catch (error) {
      if (error instanceof CodedError && error.code === 'call_not_found') return 'forgotten';
      throw error;
    }
  }

  async function senderOf(attemptKey: string, request: FastifyRequest): Promise<Sender> {
    const verdict = await auth.verify(request.headers.authorization);
    if (!verdict.ok) throw refusal(verdict.status, verdict.code, verdict.message);
    const attempt = await attempts.find(attemptKey);
    if (attempt !== undefined && !isSameGuid(attempt.tenantId, verdict.tenantId)) {
      throw refusal(
        403,
        'wrong_tenant',
        "Cannot take the notification: its token must be of the call's tenant, got another",
      );
    }
    return { tenantId: verdict.tenantId, attempt };
  }
}

/** What was sent can't be read. */
export const UNREADABLE: Problem = new Problem({
  status: 400,
  code: 'invalid_notification',
  title: 'Invalid notification',
  detail: 'Cannot take the notification: it must be commsNotifications in JSON, got another',
});

/** What was sent is not for us. */
export function refusal(status: number, code: string, detail: string): Problem {
  return new Problem({ status, code, title: 'Notification refused', detail });
}

/** Graph's own id of a request, by which one that is sent again is known. */
export function messageIdOf(request: FastifyRequest): { messageId?: string } {
  const messageId = request.headers['x-microsoft-skype-message-id'];
  const isUsable = typeof messageId === 'string' && messageId !== '';
  return isUsable ? { messageId: messageId.slice(0, MAX_MESSAGE_ID_CHARACTERS) } : {};
}
