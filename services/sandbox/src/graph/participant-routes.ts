import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { MeetingParticipant } from '../meetings/meeting.js';
import { bodyOf, contextBody, inviteBody } from './action-bodies.js';
import { actionName, requireEstablished } from './call-actions.js';
import type { CallGate, Visit } from './call-gate.js';
import { withhold } from './call-gate.js';
import type { GraphOperation } from './call-operations.js';
import { requireMethod } from './call-permissions.js';
import { calleeOf } from './call-target.js';
import { badRequest, notFound, notGroupCall } from './graph-fault.js';
import { requireAction } from './metadata-check.js';
import { sendOperation } from './send-operation.js';

const INVITE_MS = 300;
const HOLD_MUSIC_MS = 50;
const ACTIONS: ReadonlySet<string> = new Set(['mute', 'startHoldMusic', 'stopHoldMusic']);

export interface ParticipantRoutesOptions {
  readonly gate: CallGate;
  metadataUrl(): string;
}

interface CallParams {
  Params: { id: string };
}

interface ParticipantParams {
  Params: { id: string; participantId: string };
}

interface ParticipantActionParams {
  Params: { id: string; participantId: string; action: string };
}

/** `…/calls/{id}/participants` and what can be done with each. */
export function addParticipantRoutes(
  app: FastifyInstance,
  calls: string,
  { gate, metadataUrl }: ParticipantRoutesOptions,
): void {
  const participants = `${calls}/:id/participants`;

  app.get<CallParams>(participants, async (request, reply) => {
    const visit = await gate.visit(request, request.params.id, 'listParticipants');
    if (visit.fault?.answer !== undefined) return withhold(request, reply, visit.fault.answer);
    const context = `${metadataUrl()}#communications/calls('${visit.call.id}')/participants`;
    return reply.send({ '@odata.context': context, value: visit.call.participants() });
  });

  app.get<ParticipantParams>(`${participants}/:participantId`, async (request, reply) => {
    const { id, participantId } = request.params;
    const { call } = await gate.visit(request, id, 'getParticipant');
    const found = call.participants().find((one) => one.id === participantId);
    if (found === undefined) throw notFound('The participant');
    return reply.send(found);
  });

  app.delete<ParticipantParams>(`${participants}/:participantId`, async (request, reply) => {
    const { id, participantId } = request.params;
    const visit = await gate.visit(request, id, 'removeParticipant');
    visit.call.expel(participantOf(visit, participantId));
    return answer(request, reply, visit, undefined);
  });

  for (const name of ['invite', 'microsoft.graph.invite']) {
    app.post<CallParams>(`${participants}/${name}`, async (request, reply) => {
      const visit = await gate.visit(request, request.params.id, 'inviteParticipants');
      return answer(request, reply, visit, invite(visit, request.body));
    });
  }

  app.post<ParticipantActionParams>(
    `${participants}/:participantId/:action`,
    async (request, reply) => {
      const { id, participantId } = request.params;
      const action = actionName(request.params.action);
      const visit = await gate.visit(request, id, METHOD_NAMES[action] ?? action);
      const operation = act(action, visit, participantOf(visit, participantId), request.body);
      return answer(request, reply, visit, operation);
    },
  );
}

/** Actions of a participant under the names by which scenarios know them. */
const METHOD_NAMES: Readonly<Record<string, string>> = { mute: 'muteParticipant' };

function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  { call, fault }: Visit,
  operation: GraphOperation | undefined,
): FastifyReply | Promise<FastifyReply> {
  if (fault?.answer !== undefined) return withhold(request, reply, fault.answer);
  if (operation === undefined) return reply.code(204).send();
  return sendOperation(reply, call, operation);
}

/** @throws GraphFault 400/8501, 400/8548, 404 */
function participantOf({ call }: Visit, participantId: string): MeetingParticipant {
  requireEstablished(call);
  if (!call.isGroup) throw notGroupCall();
  const found = call.findParticipant(participantId);
  if (found === undefined) throw notFound('The participant');
  return found;
}

/** Those who are invited come, unless a scenario says that the operation fails. */
function invite({ call, app, fault }: Visit, body: unknown): GraphOperation {
  requireMethod(app.roles, 'inviteParticipants');
  requireEstablished(call);
  if (!call.isGroup) throw notGroupCall();
  requireAction('Collection(participant)', 'invite', body);
  const { clientContext, participants } = bodyOf(inviteBody, body);
  const callees = participants.map((one, index) => calleeOf(one, `participants[${index}]`));
  return call.operations.run({
    type: 'inviteParticipantsOperation',
    clientContext,
    takesMs: INVITE_MS,
    failure: fault?.operation,
    extra: { participants },
    onDone: () => {
      for (const { id, kind, displayName = 'Invited' } of callees) {
        call.admit({ displayName, kind, identityId: id });
      }
      return undefined;
    },
  });
}

function act(
  action: string,
  { call, fault }: Visit,
  participant: MeetingParticipant,
  body: unknown,
): GraphOperation {
  if (!ACTIONS.has(action)) {
    throw badRequest(`Resource not found for the segment '${action.slice(0, 64)}'.`);
  }
  requireAction('participant', action, body);
  const { clientContext } = bodyOf(contextBody, body);
  const failure = fault?.operation;
  if (action === 'mute') {
    if (failure === undefined) call.mute(participant);
    return call.operations.complete({ type: 'muteParticipantOperation', clientContext }, failure);
  }
  return call.operations.run({
    type: `${action}Operation`,
    clientContext,
    takesMs: HOLD_MUSIC_MS,
    failure,
  });
}
