import { randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { fastify } from 'fastify';
import { badRequest, GraphFault } from './graph-fault.js';

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const YAML_TYPES = ['application/yaml', 'application/x-yaml', 'text/yaml', 'text/x-yaml'];

export interface GraphServerOptions {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly privateKey: string;
  readonly clock: Clock;
}

/** An https server that answers as Graph does: tracing headers, and errors in Graph's form. */
export function createGraphServer(options: GraphServerOptions): FastifyInstance {
  const app: FastifyInstance = fastify({
    https: { cert: options.certificate, key: options.privateKey },
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: true,
    genReqId: () => randomUUID(),
  });
  takeBodies(app);
  app.addHook('onRequest', async (request, reply) => trace(request, reply));
  app.setNotFoundHandler((request, reply) =>
    answerWithFault(
      badRequest(`Resource not found for the segment '${request.url.split('/')[2] ?? ''}'.`),
      request,
      reply,
      options.clock,
    ),
  );
  app.setErrorHandler<FastifyError>((error, request, reply) =>
    answerWithFault(faultOf(error), request, reply, options.clock),
  );
  return app;
}

/** Graph ignores a body where it wants none, whatever its type: nothing may fail before. */
function takeBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, new URLSearchParams(String(body))),
  );
  app.addContentTypeParser(YAML_TYPES, { parseAs: 'string' }, (_request, body, done) =>
    done(null, String(body)),
  );
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    const text = String(body);
    if (text.trim() === '') return done(null, undefined);
    try {
      done(null, JSON.parse(text));
    } catch {
      done(badRequest('Unable to read JSON request payload.'));
    }
  });
}

function trace(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('request-id', request.id);
  reply.header('client-request-id', clientRequestId(request));
  const scenarioId = request.headers['scenario-id'];
  if (typeof scenarioId === 'string') reply.header('scenario-id', scenarioId);
  const serverInfo = { DataCenter: 'Sandbox', Slice: 'E', Ring: '0', ScaleUnit: '000' };
  reply.header('x-ms-ags-diagnostic', JSON.stringify({ ServerInfo: serverInfo }));
}

function clientRequestId(request: FastifyRequest): string {
  const given = request.headers['client-request-id'];
  return typeof given === 'string' && /^[\w-]{1,64}$/.test(given) ? given : request.id;
}

function faultOf(error: FastifyError): GraphFault {
  if (error instanceof GraphFault) return error;
  if (error instanceof CodedError) return new GraphFault(400, error.code, error.message);
  const status = error.statusCode ?? 500;
  return status < 500
    ? new GraphFault(status, 'BadRequest', error.message)
    : new GraphFault(500, '9999', 'Unknown error occurred.');
}

function answerWithFault(
  fault: GraphFault,
  request: FastifyRequest,
  reply: FastifyReply,
  clock: Clock,
): FastifyReply {
  if (fault.retryAfterS !== undefined) reply.header('retry-after', String(fault.retryAfterS));
  return reply.code(fault.status).send({
    error: {
      code: fault.code,
      message: fault.message,
      innerError: {
        date: new Date(clock.wallclockMs()).toISOString().slice(0, 19),
        'request-id': request.id,
        'client-request-id': clientRequestId(request),
      },
    },
  });
}
