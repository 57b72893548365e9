import type { FastifyReply } from 'fastify';
import type { GraphOperation } from './call-operations.js';
import type { SimulatedCall } from './simulated-call.js';

/** Answers with an operation, and where it is to be found. */
export function sendOperation(
  reply: FastifyReply,
  call: SimulatedCall,
  operation: GraphOperation,
): FastifyReply {
  const location = `/communications/calls/${call.id}/operations/${operation.id}`;
  return reply.code(200).header('location', location).send(operation);
}
