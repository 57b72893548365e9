import type { Clock } from '@earshot/async';
import type { Registry } from '@earshot/registry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { operationsOf } from '../operations/operation-changes.js';
import type { OperationDesk, OperationRequest } from '../operations/operation-desk.js';
import type { CallOperation } from '../operations/operation-state.js';
import { operationViewOf } from '../operations/operation-view.js';
import { callOf } from './call-of.js';
import type { IdempotentRequests, OnceAnswer } from './idempotency.js';

/** What routes that ask something of Teams stand on. */
export interface CallOperationsOptions {
  readonly registry: Registry;
  readonly desk: OperationDesk;
  readonly idempotent: IdempotentRequests;
  readonly clock: Clock;
}

/** A request to a route about a call. */
export type CallRequest = FastifyRequest<{ Params: { id: string } }>;

/** Routes that ask something of Teams: each answers 202 with an operation. */
export class CallOperations {
  readonly #options: CallOperationsOptions;

  constructor(options: CallOperationsOptions) {
    this.#options = options;
  }

  /** Asks once for each Idempotency-Key. */
  post(
    request: CallRequest,
    reply: FastifyReply,
    body: unknown,
    asked: Omit<OperationRequest, 'id'>,
  ): Promise<unknown> {
    const { registry, idempotent } = this.#options;
    const callId = request.params.id;
    return idempotent.once(request, reply, {
      body,
      handle: async (token) => {
        await callOf(registry, callId);
        return this.#run(callId, { ...asked, id: operationIdOf(token) });
      },
      recover: async (token) => {
        const id = operationIdOf(token);
        const found = operationsOf(await callOf(registry, callId)).find((o) => o.id === id);
        return found === undefined ? undefined : this.#answer(callId, found);
      },
    });
  }

  /** Asks anew each time: for requests that may be repeated without harm. */
  async ask(
    callId: string,
    token: string,
    asked: Omit<OperationRequest, 'id'>,
  ): Promise<OnceAnswer> {
    await callOf(this.#options.registry, callId);
    return this.#run(callId, { ...asked, id: operationIdOf(token) });
  }

  async #run(callId: string, asked: OperationRequest): Promise<OnceAnswer> {
    return this.#answer(callId, await this.#options.desk.run(callId, asked));
  }

  #answer(callId: string, operation: CallOperation): OnceAnswer {
    return {
      status: 202,
      location: `/v1/calls/${callId}/operations/${operation.id}`,
      body: operationViewOf(operation, callId, this.#options.clock.wallclockMs()),
    };
  }
}

function operationIdOf(token: string): string {
  return `o_${token}`;
}
