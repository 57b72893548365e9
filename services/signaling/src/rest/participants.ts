import type { Participant } from '@earshot/call';
import { isSameGuid, selfOf } from '@earshot/call';
import type { CallRecord, Registry } from '@earshot/registry';
import type { FastifyInstance } from 'fastify';
import type { LeftParticipant } from '../calls/left-participants.js';
import { serviceState } from '../calls/service-state.js';
import { callOf } from './call-of.js';
import type { CallOperations } from './call-operations.js';
import { participantNotFound } from './call-problems.js';
import { paged, pagedInOrder } from './paging.js';
import type { RosterEntryView, RosterView } from './participant-schemas.js';
import { inviteBody, listParticipantsQuery } from './participant-schemas.js';
import { graphCallIdOf, partyOf } from './parties.js';
import { validate } from './validate.js';

/** What the routes stand on. */
export interface ParticipantRoutesOptions {
  readonly registry: Registry;
  readonly operations: CallOperations;
}

interface CallParams {
  Params: { id: string };
}

interface ParticipantParams {
  Params: { id: string; pid: string };
}

const READ = { config: { scope: 'calls:read' } } as const;
const CONTROL = { config: { scope: 'calls:control' } } as const;

/** `/v1/calls/:id/participants`: who is in a call, and what can be done to them. */
export function addParticipantRoutes(
  app: FastifyInstance,
  { registry, operations }: ParticipantRoutesOptions,
): void {
  app.get<CallParams>('/v1/calls/:id/participants', READ, async (request): Promise<RosterView> => {
    const call = await callOf(registry, request.params.id);
    const { presence, ...page } = validate(listParticipantsQuery, request.query, 'query');
    if (presence === 'left') {
      const { items, next } = pagedInOrder(
        [...(serviceState(call).left ?? [])].reverse(),
        ({ id }) => id,
        page,
      );
      return { participants: items.map(leftView), ...next };
    }
    const all = Object.values(call.model.participants);
    const some = presence === 'lobby' ? all.filter(({ isInLobby }) => isInLobby) : all;
    const { items, next } = paged(some, ({ id }) => id, page);
    return { participants: items.map((participant) => entryView(call, participant)), ...next };
  });

  app.get<ParticipantParams>(
    '/v1/calls/:id/participants/:pid',
    READ,
    async ({ params }): Promise<RosterEntryView> => {
      const call = await callOf(registry, params.id);
      const participant = inRoster(call, params.pid);
      if (participant !== undefined) return entryView(call, participant);
      const left = serviceState(call).left?.find(({ id }) => isSameGuid(id, params.pid));
      if (left === undefined) throw participantNotFound();
      return leftView(left);
    },
  );

  app.post<CallParams>('/v1/calls/:id/participants', CONTROL, async (request, reply) => {
    const body = validate(inviteBody, request.body, 'body');
    const participants = await Promise.all(
      body.participants.map(async ({ isHidden, replacesCallId, ...party }) => ({
        party: partyOf(party),
        ...(isHidden === undefined ? {} : { isHidden }),
        ...(await graphCallIdOf(registry, replacesCallId)),
      })),
    );
    return operations.post(request, reply, body, {
      kind: 'inviteParticipants',
      send: (graph, call, clientContext) =>
        graph.inviteParticipants(call, { clientContext, participants }),
    });
  });

  app.delete<ParticipantParams>(
    '/v1/calls/:id/participants/:pid',
    CONTROL,
    async (request, reply) => {
      const participantId = await idInRoster(request.params);
      return operations.post(request, reply, undefined, {
        kind: 'removeParticipant',
        participantId,
        async send(graph, call) {
          await graph.removeParticipant(call, { participantId });
          return 'done';
        },
      });
    },
  );

  app.post<ParticipantParams>(
    '/v1/calls/:id/participants/:pid/mute',
    CONTROL,
    async (request, reply) => {
      const participantId = await idInRoster(request.params);
      return operations.post(request, reply, undefined, {
        kind: 'muteParticipant',
        participantId,
        send: (graph, call, clientContext) =>
          graph.muteParticipant(call, { participantId, clientContext }),
      });
    },
  );

  const HOLD_MUSIC = '/v1/calls/:id/participants/:pid/hold-music';

  app.post<ParticipantParams>(HOLD_MUSIC, CONTROL, async (request, reply) => {
    const participantId = await idInRoster(request.params);
    return operations.post(request, reply, undefined, {
      kind: 'startHoldMusic',
      participantId,
      send: (graph, call, clientContext) =>
        graph.startHoldMusic(call, { participantId, clientContext }),
    });
  });

  app.delete<ParticipantParams>(HOLD_MUSIC, CONTROL, async (request, reply) => {
    const participantId = await idInRoster(request.params);
    return operations.post(request, reply, undefined, {
      kind: 'stopHoldMusic',
      participantId,
      send: (graph, call, clientContext) =>
        graph.stopHoldMusic(call, { participantId, clientContext }),
    });
  });

  /** In the form that Graph gave it. */
  async function idInRoster({ id, pid }: ParticipantParams['Params']): Promise<string> {
    const participant = inRoster(await callOf(registry, id), pid);
    if (participant === undefined) throw participantNotFound();
    return participant.id;
  }
}

function inRoster({ model }: CallRecord, id: string): Participant | undefined {
  return Object.values(model.participants).find((participant) => isSameGuid(participant.id, id));
}

function entryView({ model }: CallRecord, participant: Participant): RosterEntryView {
  const { id, displayName, kind, isInLobby, isMuted, isServerMuted, sourceIds } = participant;
  return {
    id,
    ...(displayName === undefined ? {} : { displayName }),
    kind,
    isInLobby,
    isMuted,
    isServerMuted,
    sourceIds: [...sourceIds.audio],
    isSelf: selfOf(model)?.id === id,
  };
}

function leftView({ id, displayName, kind, leftAtMs, reason }: LeftParticipant): RosterEntryView {
  return {
    id,
    ...(displayName === undefined ? {} : { displayName }),
    kind,
    isInLobby: false,
    isMuted: false,
    isServerMuted: false,
    sourceIds: [],
    isSelf: false,
    leftAt: new Date(leftAtMs).toISOString(),
    ...(reason === undefined ? {} : { leftReason: reason }),
  };
}
