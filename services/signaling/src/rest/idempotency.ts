import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '@earshot/async';
import type { RequestStore, StoredRequest } from '@earshot/registry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { StoredProblem } from '../calls/stored-problem.js';
import { problemSchema } from '../calls/stored-problem.js';
import { asProblem, FinalProblem, Problem } from './problem.js';
import { idempotencyKey } from './schemas.js';
import { validate } from './validate.js';

/** How a request that did something is answered. */
export interface OnceAnswer {
  readonly status: number;
  readonly location?: string | undefined;
  readonly body?: unknown;
}

/** What is done once for each key. */
export interface OnceWork {
  /** What was asked, checked. */
  readonly body: unknown;
  /** @param token unguessable; names what is made. */
  handle(token: string): Promise<OnceAnswer>;
  /** What has become of a request whose process died; undefined when nothing can be said. */
  recover?(token: string): Promise<OnceAnswer | undefined>;
}

/** Longer than any request takes: whoever has not answered by then has died. */
const UNANSWERED_AFTER_MS = 60_000;
const RETRY_MS = 1000;

const storedAnswer = z.union([
  z.object({ problem: problemSchema }),
  z.object({
    status: z.number(),
    location: z.string().optional(),
    body: z.unknown().optional(),
  }),
]);

/** What `Idempotency-Key` promises: a request is carried out once, and answered the same again. */
export class IdempotentRequests {
  readonly #requests: RequestStore;
  readonly #clock: Clock;

  constructor({ requests, clock }: { requests: RequestStore; clock: Clock }) {
    this.#requests = requests;
    this.#clock = clock;
  }

  /**
   * Does `work`, or answers as it was answered before under the same key of the same caller.
   * Failures that began nothing leave the key free; those that a repeated request must get too are
   * FinalProblems.
   *
   * @returns the body, with status and `Location` set.
   * @throws Problem 409 `request_in_progress`, 409 `request_outcome_unknown`,
   *   422 `idempotency_key_reused`, and what `work` throws.
   */
  async once(request: FastifyRequest, reply: FastifyReply, work: OnceWork): Promise<unknown> {
    const token = randomBytes(18).toString('base64url');
    const given = validate(idempotencyKey, request.headers['idempotency-key'], 'header');
    if (given === undefined) return send(reply, await work.handle(token));
    const key = keyOf(request, given);
    const claim = { digest: digestOf(given, work.body), token, atMs: this.#clock.wallclockMs() };
    const held = await this.#requests.claim(key, claim);
    if (held.digest !== claim.digest) throw keyReused();
    if (held.token !== token) return send(reply, await this.#earlier(held, work));
    return send(reply, await this.#first(key, token, work));
  }

  /** Refuses a key that stood for another body, for routes that know their requests by themselves. */
  async checkBody(request: FastifyRequest, body: unknown): Promise<void> {
    const given = validate(idempotencyKey, request.headers['idempotency-key'], 'header');
    if (given === undefined) return;
    const digest = digestOf(given, body);
    const claim = { digest, token: '', atMs: this.#clock.wallclockMs() };
    const held = await this.#requests.claim(keyOf(request, given), claim);
    if (held.digest !== digest) throw keyReused();
  }

  async #first(key: string, token: string, work: OnceWork): Promise<OnceAnswer> {
    try {
      const answer = await work.handle(token);
      await this.#requests.answer(key, token, JSON.stringify(answer));
      return answer;
    } catch (error) {
      if (error instanceof FinalProblem) {
        await this.#requests.answer(key, token, JSON.stringify({ problem: error.stored }));
      } else if (beganNothing(error)) {
        await this.#requests.giveUp(key, token);
      }
      throw error;
    }
  }

  async #earlier({ answer, atMs, token }: StoredRequest, work: OnceWork): Promise<OnceAnswer> {
    if (answer !== undefined) return parsed(answer);
    if (this.#clock.wallclockMs() - atMs < UNANSWERED_AFTER_MS) throw inProgress();
    const recovered = await work.recover?.(token);
    if (recovered !== undefined) return recovered;
    throw outcomeUnknown();
  }
}

/** Refusals begin nothing; of a failure that is not known as one, who knows. */
function beganNothing(error: unknown): boolean {
  if (error instanceof Problem) return true;
  return error instanceof Error && asProblem(error).status < 500;
}

function parsed(text: string): OnceAnswer {
  const answer = storedAnswer.parse(JSON.parse(text));
  if ('problem' in answer) throw new Problem(answer.problem);
  return answer;
}

function send(reply: FastifyReply, { status, location, body }: OnceAnswer): unknown {
  reply.code(status);
  if (location !== undefined) reply.header('location', location);
  return body;
}

/** The request's Idempotency-Key as a name that no other caller's key leads to. */
export function keyOfCaller(request: FastifyRequest): string | undefined {
  const given = validate(idempotencyKey, request.headers['idempotency-key'], 'header');
  return given === undefined ? undefined : JSON.stringify([request.principal.keyId, given]);
}

/** One caller's keys say nothing of another's, nor those of one resource of another's. */
function keyOf({ principal, method, url }: FastifyRequest, given: string): string {
  return sha256([principal.keyId, method, url.split('?', 1)[0], given]);
}

/** With the key in it, so that short bodies, such as a few digits, can't be found by trying. */
function digestOf(given: string, body: unknown): string {
  return sha256([given, body ?? null]);
}

function sha256(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

function keyReused(): Problem {
  return failure({
    status: 422,
    code: 'idempotency_key_reused',
    title: 'Key used before',
    detail:
      'Cannot accept the request: an Idempotency-Key must stand for one request, got it with another body',
    fix: 'Send a new key with each new request.',
  });
}

function inProgress(): Problem {
  return failure({
    status: 409,
    code: 'request_in_progress',
    title: 'Still in progress',
    detail:
      'Cannot repeat the request: the first one with this Idempotency-Key must be answered first',
    retryAfterMs: RETRY_MS,
  });
}

function outcomeUnknown(): Problem {
  return failure({
    status: 409,
    code: 'request_outcome_unknown',
    title: 'Outcome unknown',
    detail:
      'Cannot repeat the request: the process that had the first one with this Idempotency-Key ended, and whether it was carried out is unknown',
    fix: 'Look at what is there, then send what is still wanted with a new key.',
  });
}

function failure(problem: StoredProblem): Problem {
  return new Problem(problem);
}
