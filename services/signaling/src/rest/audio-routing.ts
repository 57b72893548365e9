import type { AudioRoutingGroup } from '@earshot/graph';
import type { Registry } from '@earshot/registry';
import type { FastifyInstance } from 'fastify';
import type { OperationDesk } from '../operations/operation-desk.js';
import type { AudioRoutingGroupListView } from './audio-routing-schemas.js';
import { audioRoutingBody } from './audio-routing-schemas.js';
import { callOf } from './call-of.js';
import type { IdempotentRequests } from './idempotency.js';
import { paged, pageQuery } from './paging.js';
import { validate } from './validate.js';

/** What the routes stand on. */
export interface AudioRoutingRoutesOptions {
  readonly registry: Registry;
  readonly desk: OperationDesk;
  readonly idempotent: IdempotentRequests;
}

interface CallParams {
  Params: { id: string };
}

interface GroupParams {
  Params: { id: string; groupId: string };
}

const READ = { config: { scope: 'calls:read' } } as const;
const CONTROL = { config: { scope: 'calls:control' } } as const;
const GROUPS = '/v1/calls/:id/audio-routing-groups';
const GROUP = `${GROUPS}/:groupId`;

/** `/v1/calls/:id/audio-routing-groups`: who hears whom apart from the others. */
export function addAudioRoutingRoutes(
  app: FastifyInstance,
  { registry, desk, idempotent }: AudioRoutingRoutesOptions,
): void {
  app.get<CallParams>(GROUPS, READ, async (request): Promise<AudioRoutingGroupListView> => {
    const query = validate(pageQuery, request.query, 'query');
    const record = await callOf(registry, request.params.id);
    const groups = await desk.ask(record, (graph, call) => graph.listAudioRoutingGroups(call));
    const { items, next } = paged(groups, ({ id }) => id, query);
    return { groups: items, ...next };
  });

  app.post<CallParams>(GROUPS, CONTROL, async (request, reply) => {
    const body = validate(audioRoutingBody, request.body, 'body');
    return idempotent.once(request, reply, {
      body,
      async handle() {
        const record = await callOf(registry, request.params.id);
        const group = await desk.ask(record, (graph, call) =>
          graph.createAudioRoutingGroup(call, body),
        );
        const location = `/v1/calls/${record.callId}/audio-routing-groups/${encodeURIComponent(group.id)}`;
        return { status: 201, location, body: group };
      },
    });
  });

  app.get<GroupParams>(GROUP, READ, async ({ params }): Promise<AudioRoutingGroup> => {
    const record = await callOf(registry, params.id);
    return desk.ask(record, (graph, call) => graph.getAudioRoutingGroup(call, params));
  });

  app.put<GroupParams>(GROUP, CONTROL, async ({ params, body }): Promise<AudioRoutingGroup> => {
    const wanted = validate(audioRoutingBody, body, 'body');
    const record = await callOf(registry, params.id);
    const { groupId } = params;
    return desk.ask(record, (graph, call) =>
      graph.updateAudioRoutingGroup(call, { groupId, ...wanted }),
    );
  });

  app.delete<GroupParams>(GROUP, CONTROL, async ({ params }, reply) => {
    const record = await callOf(registry, params.id);
    await desk.ask(record, (graph, call) => graph.deleteAudioRoutingGroup(call, params));
    return reply.code(204).send();
  });
}
