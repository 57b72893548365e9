import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { RoutingGroupBody } from './action-bodies.js';
import { bodyOf, routingGroupBody } from './action-bodies.js';
import { requireEstablished } from './call-actions.js';
import type { CallGate } from './call-gate.js';
import { GraphFault, invalidArgument, notFound, notGroupCall } from './graph-fault.js';
import { requireType } from './metadata-check.js';
import type { SimulatedCall } from './simulated-call.js';

/** Of one call; Graph's own limit is not documented. */
const MAX_GROUPS = 50;

interface CallParams {
  Params: { id: string };
}

interface GroupParams {
  Params: { id: string; groupId: string };
}

interface RoutingGroup extends RoutingGroupBody {
  readonly '@odata.type': string;
  readonly id: string;
}

/** `…/calls/{id}/audioRoutingGroups`: kept and shown; who hears whom is not simulated. */
export function addAudioRoutingGroupRoutes(
  app: FastifyInstance,
  calls: string,
  gate: CallGate,
): void {
  const groups = `${calls}/:id/audioRoutingGroups`;
  const all = new WeakMap<SimulatedCall, Map<string, RoutingGroup>>();
  const groupsOf = (call: SimulatedCall): Map<string, RoutingGroup> => {
    const found = all.get(call) ?? new Map<string, RoutingGroup>();
    all.set(call, found);
    return found;
  };
  const groupOf = (call: SimulatedCall, groupId: string): RoutingGroup => {
    const group = groupsOf(call).get(groupId);
    if (group === undefined) throw notFound('The audio routing group');
    return group;
  };

  app.get<CallParams>(groups, async (request, reply) => {
    const { call } = await gate.visit(request, request.params.id, 'listAudioRoutingGroups');
    return reply.send({ value: [...groupsOf(call).values()] });
  });

  app.post<CallParams>(groups, async (request, reply) => {
    const { call } = await gate.visit(request, request.params.id, 'createAudioRoutingGroup');
    const group = checkedGroup(call, request.body, randomUUID());
    if (groupsOf(call).size >= MAX_GROUPS) {
      throw new GraphFault(400, '8523', `There may be ${MAX_GROUPS} audio routing groups.`);
    }
    groupsOf(call).set(group.id, group);
    return reply.code(201).send(group);
  });

  app.get<GroupParams>(`${groups}/:groupId`, async (request, reply) => {
    const { id, groupId } = request.params;
    const { call } = await gate.visit(request, id, 'getAudioRoutingGroup');
    return reply.send(groupOf(call, groupId));
  });

  app.patch<GroupParams>(`${groups}/:groupId`, async (request, reply) => {
    const { id, groupId } = request.params;
    const { call } = await gate.visit(request, id, 'updateAudioRoutingGroup');
    const before = groupOf(call, groupId);
    const group = checkedGroup(call, { ...before, ...objectOf(request.body) }, groupId);
    groupsOf(call).set(groupId, group);
    return reply.send(group);
  });

  app.delete<GroupParams>(`${groups}/:groupId`, async (request, reply) => {
    const { id, groupId } = request.params;
    const { call } = await gate.visit(request, id, 'deleteAudioRoutingGroup');
    groupsOf(call).delete(groupOf(call, groupId).id);
    return reply.code(204).send();
  });
}

/** @throws GraphFault 400 */
function checkedGroup(call: SimulatedCall, body: unknown, id: string): RoutingGroup {
  requireEstablished(call);
  if (!call.isGroup) throw notGroupCall();
  requireType('audioRoutingGroup', body);
  const { routingMode, sources, receivers } = bodyOf(routingGroupBody, body);
  const present = new Set(call.participants().map((participant) => participant.id));
  for (const [property, ids] of Object.entries({ sources, receivers })) {
    if (!ids.every((one) => present.has(one))) {
      throw invalidArgument(property, 'must be participants of the call');
    }
  }
  return {
    '@odata.type': '#microsoft.graph.audioRoutingGroup',
    id,
    routingMode,
    sources,
    receivers,
  };
}

function objectOf(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
