import { CodedError } from '@earshot/async';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { StoredProblem } from '../calls/stored-problem.js';

/** The part of a log that failures of requests need. */
export interface ProblemLog {
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** A request that fails with an answer people and programs can read (RFC 9457). */
export class Problem extends CodedError {
  /** Plain JSON, from which the same Problem can be made again. */
  readonly stored: StoredProblem;

  constructor(problem: StoredProblem) {
    super(problem.code, problem.detail, problem.fix === undefined ? {} : { fix: problem.fix });
    this.name = 'Problem';
    this.stored = problem;
  }

  get status(): number {
    return this.stored.status;
  }

  get title(): string {
    return this.stored.title;
  }

  get retryAfterMs(): number | undefined {
    return this.stored.retryAfterMs;
  }
}

/** A failure that a repeated request with the same key must get too: something may have been done. */
export class FinalProblem extends Problem {
  constructor(problem: StoredProblem) {
    super(problem);
    this.name = 'FinalProblem';
  }
}

/** Makes every failure of `app`, its own ones included, a problem+json answer. */
export function answerWithProblems(app: FastifyInstance, log: ProblemLog): void {
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new Problem({
        status: 404,
        code: 'route_not_found',
        title: 'No such resource',
        detail: `Cannot ${request.method} ${pathOf(request)}: there is no such resource`,
      }),
    ),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = asProblem(error);
    if (problem.status >= 500 && !(error instanceof Problem)) {
      log.error('request failed', { route: request.routeOptions.url, code: problem.code, error });
    }
    return sendProblem(reply, problem);
  });
}

/** For requests that fastify refuses before it has looked for a route. */
export function answerFrameworkError(
  error: FastifyError,
  _request: FastifyRequest,
  reply: FastifyReply,
): void {
  sendProblem(reply, asProblem(error));
}

const codes = new WeakMap<FastifyRequest, string>();

/** The code of the problem that a request was answered with, if it was. */
export function problemCodeOf(request: FastifyRequest): string | undefined {
  return codes.get(request);
}

/** Answers with `problem`. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  codes.set(reply.request, problem.code);
  if (problem.retryAfterMs !== undefined) {
    reply.header('retry-after', String(Math.ceil(problem.retryAfterMs / 1000)));
  }
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:earshot:problem:${problem.code}`,
        title: problem.title,
        status: problem.status,
        detail: problem.message,
        code: problem.code,
        ...(problem.fix === undefined ? {} : { fix: problem.fix }),
        ...extensionsOf(problem.stored),
      }),
    );
}

function extensionsOf({ resultCode, resultSubcode, operationId }: StoredProblem): object {
  return { resultCode, resultSubcode, operationId };
}

/** Path without the query; callback keys are secrets, so they are not repeated. */
function pathOf(request: FastifyRequest): string {
  const path = request.url.split('?', 1)[0] ?? '';
  return path.startsWith('/v1/callbacks/') ? '/v1/callbacks/…' : path.slice(0, 200);
}

/** Fastify's own codes that are the client's doing. */
const CLIENT_FAULTS: Readonly<Record<string, { code: string; title: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'body_too_large', title: 'Body too large' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'unsupported_media_type', title: 'Not JSON' },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'invalid_request', title: 'Invalid request' },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'invalid_request', title: 'Invalid request' },
};

/** Codes of the parts below that mean something to the one who asked. */
const KNOWN_FAILURES: Readonly<Record<string, { status: number; title: string }>> = {
  invalid_cursor: { status: 400, title: 'Invalid request' },
  too_many_notifications: { status: 503, title: 'Too busy' },
  invalid_audio: { status: 422, title: 'Invalid audio' },
  too_many_plays: { status: 429, title: 'Too many plays' },
  redis_unreachable: { status: 503, title: 'Redis is away' },
  not_replicated: { status: 503, title: 'Replicas of Redis are away' },
  webhook_not_found: { status: 404, title: 'No such webhook' },
  delivery_not_found: { status: 404, title: 'No such delivery' },
  delivery_not_kept: { status: 409, title: 'No longer there' },
  delivery_pending: { status: 409, title: 'Still on its way' },
  webhook_disabled: { status: 409, title: 'The webhook is off' },
  too_many_webhooks: { status: 409, title: 'Too many webhooks' },
  invalid_webhook_url: { status: 422, title: 'Invalid URL' },
  address_not_allowed: { status: 422, title: 'Address not allowed' },
  invalid_secret: { status: 422, title: 'Invalid secret' },
  too_many_event_streams: { status: 503, title: 'Too busy' },
};

/** The problem that a failure is answered with. */
export function asProblem(error: Error & Partial<FastifyError>): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof CodedError) {
    const { code, message: detail, fix } = error;
    const known = KNOWN_FAILURES[code];
    if (known !== undefined) return new Problem({ ...known, code, detail, fix });
  }
  const status = error.statusCode;
  if (status !== undefined && status >= 400 && status < 500) {
    const fault = CLIENT_FAULTS[error.code ?? ''] ?? {
      code: 'invalid_request',
      title: 'Invalid request',
    };
    return new Problem({ status, ...fault, detail: error.message });
  }
  return new Problem({
    status: 500,
    code: 'internal_error',
    title: 'Internal error',
    detail: 'The service failed in a way it does not know; its log tells more.',
  });
}
