import type { AuditEntry } from '@earshot/registry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { problemCodeOf } from '../rest/problem.js';
import type { Audit } from './audit.js';

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Whoever has no key, or asks too often, must not push out what others did. */
const NOT_AUDITED: ReadonlySet<number> = new Set([401, 429]);

/**
 * Notes each request to `app`'s routes that changes something, once its answer is known and
 * without holding it up. It counts even when the client has left meanwhile.
 */
export function auditRequests(app: FastifyInstance, audit: Pick<Audit, 'note'>): void {
  app.addHook('onSend', async (request, reply) => {
    if (READING.has(request.method) || NOT_AUDITED.has(reply.statusCode)) return;
    audit.note(entryOf(request, reply));
  });
}

function entryOf(request: FastifyRequest, reply: FastifyReply): AuditEntry {
  const { statusCode: status } = reply;
  return {
    action: `${request.method} ${request.routeOptions.url}`,
    actor: request.principal.keyId,
    callId: callIdOf(request, reply),
    outcome: outcomeOf(status),
    status,
    code: problemCodeOf(request),
  };
}

/** Of the URL, or of the call that was made. */
function callIdOf(request: FastifyRequest, reply: FastifyReply): string | undefined {
  const made = reply.getHeader('location');
  const path = typeof made === 'string' ? made : request.url;
  return /^\/v1\/calls\/([\w-]{1,100})(?:[/?]|$)/.exec(path)?.[1];
}

function outcomeOf(status: number): AuditEntry['outcome'] {
  if (status < 400) return 'ok';
  return status < 500 ? 'refused' : 'failed';
}
