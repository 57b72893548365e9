import type { Clock } from '@earshot/async';
import type { CallRef, GraphCalls } from '@earshot/graph';
import type { CallRecord, Registry } from '@earshot/registry';
import { serviceState } from '../calls/service-state.js';
import { callNotLive } from '../rest/call-problems.js';
import { FinalProblem, Problem } from '../rest/problem.js';
import { graphFailureOf } from './graph-problem.js';
import type { OperationAnswer } from './operation-changes.js';
import {
  answerOperation,
  beginOperation,
  failOperation,
  operationsOf,
} from './operation-changes.js';
import type { CallOperation, OperationKind } from './operation-state.js';
import { OPERATIONS_REMEMBERED } from './operation-state.js';

/** What the desk stands on. */
export interface OperationDeskOptions {
  readonly registry: Registry;
  readonly graph: GraphCalls;
  readonly clock: Clock;
  /** Has a call looked at, so that its events are published. */
  wake(callId: string): void;
}

/** Something to be asked of Teams. */
export interface OperationRequest {
  /** Unguessable; the operation's id. */
  readonly id: string;
  readonly kind: OperationKind;
  readonly participantId?: string | undefined;
  send(graph: GraphCalls, call: CallRef, clientContext: string): Promise<OperationAnswer>;
}

const FULL_RETRY_MS = 10_000;

/**
 * Asks things of Teams about calls that are up. What is asked stands in the call's record before
 * it is sent, so that nothing is lost of what may have been carried out.
 */
export class OperationDesk {
  readonly #options: OperationDeskOptions;

  constructor(options: OperationDeskOptions) {
    this.#options = options;
  }

  /**
   * The operation as it is once Graph has answered.
   *
   * @throws Problem for every refusal; FinalProblem when Graph has, or may have, seen the request.
   */
  async run(callId: string, request: OperationRequest): Promise<CallOperation> {
    const { registry, graph, clock, wake } = this.#options;
    const { id } = request;
    const begun = await registry.updateCall(callId, (call) => this.#begin(call, request));
    let answer: OperationAnswer;
    try {
      answer = await request.send(graph, refOf(begun), id);
    } catch (error) {
      throw await this.#fail(callId, id, error);
    }
    const atMs = clock.wallclockMs();
    const record = await registry.updateCall(callId, (c) => answerOperation(c, id, answer, atMs));
    wake(callId);
    return findOperation(record, id);
  }

  /** Something of Graph about a call that is answered at once. @throws Problem */
  async ask<T>(
    call: CallRecord,
    ask: (graph: GraphCalls, call: CallRef) => Promise<T>,
  ): Promise<T> {
    try {
      return await ask(this.#options.graph, refOf(call));
    } catch (error) {
      if (error instanceof Problem) throw error;
      const { problem, isVoid } = graphFailureOf(error);
      throw isVoid ? new Problem(problem) : new FinalProblem(problem);
    }
  }

  #begin(call: CallRecord, { id, kind, participantId }: OperationRequest): CallRecord {
    refOf(call);
    const begun = beginOperation(
      call,
      { id, kind, participantId },
      this.#options.clock.wallclockMs(),
    );
    if (begun === undefined) throw tooMany();
    return begun;
  }

  async #fail(callId: string, id: string, error: unknown): Promise<Problem> {
    const { registry, clock, wake } = this.#options;
    const { problem, isVoid, mayHaveHappened } = graphFailureOf(error);
    const { code, resultCode, resultSubcode } = problem;
    const result =
      resultCode === undefined || resultSubcode === undefined
        ? undefined
        : { code: resultCode, subcode: resultSubcode };
    const status = mayHaveHappened ? 'unknown' : 'failed';
    const failure = { status, reason: code, ...(result === undefined ? {} : { result }) } as const;
    const atMs = clock.wallclockMs();
    await registry.updateCall(callId, (call) => failOperation(call, id, failure, atMs));
    wake(callId);
    const told = { ...problem, operationId: id };
    return isVoid ? new Problem(told) : new FinalProblem(told);
  }
}

/** The operation of a call. @throws Problem 404 `operation_not_found`. */
export function findOperation(record: CallRecord, id: string): CallOperation {
  const operation = operationsOf(record).find((known) => known.id === id);
  if (operation !== undefined) return operation;
  throw new Problem({
    status: 404,
    code: 'operation_not_found',
    title: 'No such operation',
    detail: `Cannot find the operation: its id must be of the call's newest ${OPERATIONS_REMEMBERED}, got another`,
  });
}

/** The call as Graph knows it. @throws Problem 409 `call_not_live`. */
function refOf(call: CallRecord): CallRef {
  const { end, hangUpAtMs, establishedAtMs } = serviceState(call);
  const { graphCallId, state } = call.model;
  const isLive = establishedAtMs !== undefined && end === undefined && hangUpAtMs === undefined;
  if (graphCallId === undefined || !isLive) throw callNotLive(state);
  return { tenantId: call.tenantId, graphCallId, media: 'appHosted' };
}

function tooMany(): Problem {
  return new Problem({
    status: 429,
    code: 'too_many_operations',
    title: 'Too many operations',
    detail: `Cannot ask Teams: at most ${OPERATIONS_REMEMBERED} operations of a call may wait for it, got one more`,
    retryAfterMs: FULL_RETRY_MS,
  });
}
