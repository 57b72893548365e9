import { randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { delay } from '@earshot/async';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingDesk } from '../incoming/incoming-desk.js';
import { isIncomingAction } from '../incoming/incoming-desk.js';
import { addAudioRoutingGroupRoutes } from './audio-routing-groups.js';
import { actionName, performAction } from './call-actions.js';
import { callBody } from './call-body.js';
import type { CallDesk, Created } from './call-desk.js';
import type { CallGate } from './call-gate.js';
import { withhold } from './call-gate.js';
import { badRequest } from './graph-fault.js';
import { addParticipantRoutes } from './participant-routes.js';
import { addQualityRoute } from './quality-route.js';
import { sendOperation } from './send-operation.js';

/** Actions that never had the older name. */
const NOT_UNDER_APP: ReadonlySet<string> = new Set(['keepAlive', 'logTeleconferenceDeviceQuality']);

export interface CallRoutesOptions {
  readonly desk: CallDesk;
  readonly gate: CallGate;
  readonly clock: Clock;
  readonly incoming: IncomingDesk;
  /** The server's own address, without a path. */
  baseUrl(): string;
}

interface CallParams {
  Params: { id: string };
}

interface ActionParams {
  Params: { id: string; action: string };
}

/** Graph's calls under one version and one of its two names, such as `/v1.0/communications`. */
export function addCallRoutes(
  app: FastifyInstance,
  prefix: { readonly version: 'v1.0' | 'beta'; readonly alias: 'communications' | 'app' },
  { desk, gate, clock, incoming, baseUrl }: CallRoutesOptions,
): void {
  const calls = `/${prefix.version}/${prefix.alias}/calls`;
  const metadataUrl = (): string => `${baseUrl()}/${prefix.version}/$metadata`;

  app.post(calls, async (request, reply) => {
    const identity = await gate.enter(request);
    const created = desk.create(request.body, identity, scenarioOf(request));
    return answerCreation(created, request, reply);
  });

  app.get<CallParams>(`${calls}/:id`, async (request, reply) => {
    const { call, fault } = await gate.visit(request, request.params.id, 'get');
    if (fault?.answer !== undefined) return withhold(request, reply, fault.answer);
    return reply.send(callBody(call, metadataUrl()));
  });

  app.delete<CallParams>(`${calls}/:id`, async (request, reply) => {
    const { call, fault } = await gate.visit(request, request.params.id, 'delete');
    call.hangUp();
    if (fault?.answer !== undefined) return withhold(request, reply, fault.answer);
    return reply.code(204).send();
  });

  app.post<ActionParams>(`${calls}/:id/:action`, async (request, reply) => {
    const action = actionName(request.params.action);
    if (prefix.alias === 'app' && NOT_UNDER_APP.has(action)) {
      throw badRequest(`Resource not found for the segment '${action}'.`);
    }
    if (isIncomingAction(action)) {
      const app = await gate.enter(request);
      incoming.perform(action, request.params.id, request.body, app);
      return reply.code(202).send();
    }
    const visit = await gate.visit(request, request.params.id, action);
    const answer = performAction(action, visit, request.body);
    if (visit.fault?.answer !== undefined) return withhold(request, reply, visit.fault.answer);
    if ('operation' in answer) return sendOperation(reply, visit.call, answer.operation);
    return reply.code(answer.status).send();
  });

  addParticipantRoutes(app, calls, { gate, metadataUrl });
  addAudioRoutingGroupRoutes(app, calls, gate);
  if (prefix.alias === 'communications') addQualityRoute(app, calls, gate);

  /** 201, unless a scenario wants the answer late, after the first callback, or never. */
  async function answerCreation(
    { call, script, firstCallbackDone }: Created,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { answer, answerAfterMs, callbackFirst } = script.rule.create ?? {};
    if (answer !== undefined || call === undefined) {
      return withhold(request, reply, answer ?? 'cut');
    }
    // As it is now: the answer that comes late tells what was true in the beginning.
    const body = callBody(call, metadataUrl());
    if (callbackFirst) await firstCallbackDone;
    if (answerAfterMs !== undefined) await delay(clock, answerAfterMs);
    return reply.code(201).header('location', `${baseUrl()}${calls}/${call.id}`).send(body);
  }
}

/** The bot's own id of what it is doing; made up where it gives none. */
function scenarioOf(request: FastifyRequest): string {
  const given = request.headers['scenario-id'];
  return typeof given === 'string' && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
}
