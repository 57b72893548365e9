import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@earshot/async';
import { delay } from '@earshot/async';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { MethodFault } from '../scenario/scenario.js';
import type { ScenarioBook } from '../scenario/scenario-book.js';
import type { AppIdentity, AppTokens } from './app-tokens.js';
import type { CallDesk } from './call-desk.js';
import type { GraphLimits } from './graph-limits.js';
import { refusalFault } from './scripted-fault.js';
import type { SimulatedCall } from './simulated-call.js';

/** An answer that a scenario wants withheld is dropped after so long, whoever still waits. */
const WITHHOLD_MS = 120_000;

export interface CallGateOptions {
  readonly desk: CallDesk;
  readonly tokens: AppTokens;
  readonly scenarios: ScenarioBook;
  readonly limits: GraphLimits;
  readonly clock: Clock;
}

/** A request about a call that has been let in. */
export interface Visit {
  readonly call: SimulatedCall;
  readonly app: AppIdentity;
  /** What a scenario does to the request, but for refusals and delays: those have happened. */
  readonly fault: MethodFault | undefined;
}

/** Where every request to Graph's calls comes in: who is it, is it too much, what is in store. */
export class CallGate {
  readonly #options: CallGateOptions;

  constructor(options: CallGateOptions) {
    this.#options = options;
  }

  /** @throws GraphFault 401, 429 */
  async enter(request: FastifyRequest): Promise<AppIdentity> {
    const { tokens, scenarios, limits } = this.#options;
    const app = await tokens.verify(request.headers.authorization);
    limits.admitRequest();
    return { ...app, roles: scenarios.permitted(app.roles, app.tenantId) };
  }

  /**
   * Lets a request about a call in, after what a scenario has for the method.
   *
   * @throws GraphFault
   */
  async visit(request: FastifyRequest, callId: string, method: string): Promise<Visit> {
    const { desk, clock } = this.#options;
    const app = await this.enter(request);
    const call = desk.find(callId, app);
    const fault = call.script.methodFault(method);
    if (fault?.refuse !== undefined) throw refusalFault(fault.refuse);
    if (fault?.answerAfterMs !== undefined) await delay(clock, fault.answerAfterMs);
    return { call, app, fault };
  }
}

/**
 * Gives no answer: the connection is cut, or left open until the other side has had enough.
 * Resolves when it is closed.
 */
export async function withhold(
  request: FastifyRequest,
  reply: FastifyReply,
  how: 'none' | 'cut',
): Promise<FastifyReply> {
  const { socket } = request.raw;
  reply.hijack();
  if (how === 'none') {
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await Promise.race([closed, sleep(WITHHOLD_MS, undefined, { ref: false })]);
  }
  socket.destroy();
  return reply;
}
