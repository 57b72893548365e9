import type { Clock } from '@earshot/async';
import type { Registry } from '@earshot/registry';
import type { FastifyInstance } from 'fastify';
import { operationsOf } from '../operations/operation-changes.js';
import { findOperation } from '../operations/operation-desk.js';
import { operationViewOf } from '../operations/operation-view.js';
import { callOf } from './call-of.js';
import type { OperationListView, OperationView } from './operation-schemas.js';
import { pagedInOrder, pageQuery } from './paging.js';
import { validate } from './validate.js';

/** What the routes stand on. */
export interface OperationRoutesOptions {
  readonly registry: Registry;
  readonly clock: Clock;
}

interface CallParams {
  Params: { id: string };
}

interface OperationParams {
  Params: { id: string; opId: string };
}

const READ = { config: { scope: 'calls:read' } } as const;

/** `/v1/calls/:id/operations`: what became of what was asked of Teams. */
export function addOperationRoutes(
  app: FastifyInstance,
  { registry, clock }: OperationRoutesOptions,
): void {
  app.get<CallParams>(
    '/v1/calls/:id/operations',
    READ,
    async (request): Promise<OperationListView> => {
      const call = await callOf(registry, request.params.id);
      const query = validate(pageQuery, request.query, 'query');
      const page = pagedInOrder([...operationsOf(call)].reverse(), ({ id }) => id, query);
      const nowMs = clock.wallclockMs();
      return {
        operations: page.items.map((operation) => operationViewOf(operation, call.callId, nowMs)),
        ...page.next,
      };
    },
  );

  app.get<OperationParams>(
    '/v1/calls/:id/operations/:opId',
    READ,
    async ({ params }): Promise<OperationView> => {
      const call = await callOf(registry, params.id);
      const operation = findOperation(call, params.opId);
      return operationViewOf(operation, call.callId, clock.wallclockMs());
    },
  );
}
