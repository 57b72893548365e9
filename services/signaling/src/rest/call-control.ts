import type { Clock } from '@earshot/async';
import type { Registry } from '@earshot/registry';
import type { FastifyInstance } from 'fastify';
import type { OperationDesk } from '../operations/operation-desk.js';
import { addAudioRoutingRoutes } from './audio-routing.js';
import { CallOperations } from './call-operations.js';
import { addControlRoutes } from './control.js';
import type { IdempotentRequests } from './idempotency.js';
import { addOperationRoutes } from './operations.js';
import { addParticipantRoutes } from './participants.js';

/** What the routes stand on. */
export interface CallControlRoutesOptions {
  readonly registry: Registry;
  readonly desk: OperationDesk;
  readonly idempotent: IdempotentRequests;
  readonly clock: Clock;
}

/** All that can be asked of Teams about a call that is up. */
export function addCallControlRoutes(
  app: FastifyInstance,
  options: CallControlRoutesOptions,
): void {
  const shared = { ...options, operations: new CallOperations(options) };
  addParticipantRoutes(app, shared);
  addControlRoutes(app, shared);
  addOperationRoutes(app, shared);
  addAudioRoutingRoutes(app, shared);
}
