import { randomBytes } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { IncomingBody, IncomingCall } from '@earshot/call';
import { isSameGuid, parseIncoming, parseNotifications } from '@earshot/call';
import type { ListeningSettings } from '@earshot/listening';
import type { CallRecord, Registry } from '@earshot/registry';
import type { Log, Tracer } from '@earshot/telemetry';
import { inSpan } from '@earshot/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CallbackContent } from '../callback-body.js';
import { readCallback } from '../callback-body.js';
import type { CallbackVerifier } from '../callback-verdicts.js';
import { MAX_CALLBACK_BYTES, messageIdOf, refusal, UNREADABLE } from '../callbacks.js';
import type { CallDriver } from '../calls/call-driver.js';
import type { CallbackBacklog } from '../calls/callback-backlog.js';
import type { AutoLeaveLimits } from '../calls/stay-state.js';
import type { SignalingMetrics } from '../metrics.js';
import { callIdOfIncoming, incomingRecord } from './incoming-changes.js';
import type { IncomingConfig } from './incoming-config.js';
import type { PartyChange, RecordedParties } from './recorded-parties.js';
import { INCOMING_PATH } from './recorded-parties.js';

/** What the route stands on. */
export interface IncomingRouteOptions {
  readonly auth: CallbackVerifier;
  readonly registry: Registry;
  readonly driver: CallDriver;
  readonly backlog: CallbackBacklog;
  readonly parties: RecordedParties;
  readonly incoming: IncomingConfig;
  readonly autoLeave: AutoLeaveLimits;
  readonly listening: ListeningSettings;
  readonly metrics: Pick<SignalingMetrics, 'callbacks' | 'incomingCalls'>;
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly log: Log;
}

type Notifications = Extract<IncomingBody, { kind: 'notifications' }>;

/**
 * `POST /v1/callbacks/incoming`, the webhook that the bot is registered with: calls come in here, and
 * what Graph tells of one that is not answered yet. 202 is answered once all is stored; a call is
 * answered after that. Every process may take it.
 */
export function addIncomingRoute(app: FastifyInstance, options: IncomingRouteOptions): void {
  const { auth, registry, driver, backlog, metrics, incoming: config, clock, log } = options;
  const tenants = new WeakMap<FastifyRequest, { tenantId: string; receivedAtMs: number }>();

  app.post(INCOMING_PATH, {
    bodyLimit: MAX_CALLBACK_BYTES,
    async onRequest(request) {
      const receivedAtMs = clock.wallclockMs();
      const verdict = await auth.verify(request.headers.authorization);
      if (!verdict.ok) {
        metrics.callbacks.add(1, { outcome: 'refused' });
        throw refusal(verdict.status, verdict.code, verdict.message);
      }
      tenants.set(request, { tenantId: verdict.tenantId, receivedAtMs });
    },
    async handler(request, reply) {
      const content = readCallback(request.body, request.headers['content-type']);
      const known = tenants.get(request);
      const body = parseIncoming(content?.value);
      if (content === undefined || known === undefined || body.kind === 'unreadable') {
        metrics.callbacks.add(1, { outcome: 'unreadable' });
        throw UNREADABLE;
      }
      // The older format says less; Graph's own notification of the same call follows.
      if (body.kind === 'legacy') return reply.code(204).send();
      if (body.kind !== 'notifications') return answerParty(body, known.tenantId, reply);
      const elsewhere = redirectOf(body, config);
      if (elsewhere !== undefined) {
        metrics.incomingCalls.add(1, { outcome: 'redirected' });
        return reply.code(307).header('location', elsewhere).send();
      }
      const callIds = [
        ...(await takeCalls(body, known.tenantId, known.receivedAtMs)),
        ...(await takeOthers(content, messageIdOf(request), known.tenantId)),
      ];
      metrics.callbacks.add(1, { outcome: 'accepted' });
      reply.code(202).send();
      for (const callId of callIds) driver.wake(callId);
      return reply;
    },
  });

  async function answerParty(
    body: PartyChange,
    tenantId: string,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const record = await recordOf(body.graphCallId ?? '', tenantId);
    if (record === undefined) {
      throw refusal(404, 'call_not_found', 'Cannot take the notification: no such call');
    }
    metrics.callbacks.add(1, { outcome: 'accepted' });
    return options.parties.reply(record.callId, body, reply);
  }

  async function takeCalls(
    { calls }: Notifications,
    tenantId: string,
    receivedAtMs: number,
  ): Promise<string[]> {
    const callIds: string[] = [];
    for (const call of calls) {
      requireTenant(call.tenantId ?? tenantId, tenantId);
      callIds.push(await createOnce(call, tenantId, receivedAtMs));
    }
    return callIds;
  }

  /** The same call told again, to whichever process, is the same call. */
  async function createOnce(
    call: IncomingCall,
    tenantId: string,
    receivedAtMs: number,
  ): Promise<string> {
    const { scenario } = call;
    const callId = callIdOfIncoming(call.graphCallId);
    const known = await registry.readCall(callId);
    if (known !== undefined) return callId;
    await inSpan(options.tracer, 'graph.incoming', { attributes: { callId } }, async (span) => {
      const attemptKey = randomBytes(24).toString('base64url');
      const { traceparent } = span;
      const { autoLeave } = options;
      const arrival = { call, tenantId, attemptKey, receivedAtMs };
      const beginning = { ...arrival, config, autoLeave, traceparent };
      await registry.setListening(callId, {}, options.listening);
      try {
        await registry.createCall(incomingRecord(beginning));
        // This process may die before it answers: the others have to know in time.
        await registry.wakeCall(callId);
        log.info('call came in', { callId, scenario });
      } catch (error) {
        if (!(error instanceof CodedError) || error.code !== 'call_exists') throw error;
      }
    });
    return callId;
  }

  /** An unanswered call has no address of its own yet: its end, for one, is told here. */
  async function takeOthers(
    { raw, value }: CallbackContent,
    messageId: { messageId?: string },
    tenantId: string,
  ): Promise<string[]> {
    const parsed = parseNotifications(value);
    const items = parsed.ok ? parsed.items : [];
    const told = items.filter((item) => !(item.kind === 'call' && item.call.state === 'incoming'));
    const callIds: string[] = [];
    for (const graphCallId of new Set(told.flatMap((item) => item.graphCallId ?? []))) {
      const record = await recordOf(graphCallId, tenantId);
      if (record === undefined) continue;
      await registry.appendNotification(record.callId, { raw, ...messageId });
      backlog.accepted(record.callId);
      callIds.push(record.callId);
    }
    return callIds;
  }

  async function recordOf(graphCallId: string, tenantId: string): Promise<CallRecord | undefined> {
    const record = await registry.readCall(callIdOfIncoming(graphCallId));
    if (record !== undefined) requireTenant(record.tenantId, tenantId);
    return record;
  }
}

function requireTenant(ofCall: string, ofToken: string): void {
  if (isSameGuid(ofCall, ofToken)) return;
  throw refusal(
    403,
    'wrong_tenant',
    "Cannot take the notification: its token must be of the call's tenant, got another",
  );
}

/** Another region's webhook, when all calls of the body belong there. */
function redirectOf({ calls }: Notifications, { redirects }: IncomingConfig): string | undefined {
  const [first, ...others] = calls.map(({ source, botData }) => {
    const region = botData?.mediaHostedRegion ?? source?.region ?? '';
    return redirects.get(region.toLowerCase());
  });
  return others.every((other) => other === first) ? first : undefined;
}
