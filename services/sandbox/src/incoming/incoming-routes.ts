import type { FastifyInstance } from 'fastify';
import { GraphFault } from '../graph/graph-fault.js';
import type { IncomingDesk } from './incoming-desk.js';
import { parseRingRequest } from './ring-request.js';

/** `/sandbox/incoming`: has the bot called, and tells what became of that. */
export function addIncomingRoutes(app: FastifyInstance, incoming: IncomingDesk): void {
  app.post('/sandbox/incoming', (request, reply) =>
    reply.code(201).send(incoming.ring(parseRingRequest(request.body))),
  );
  app.get('/sandbox/incoming', (_request, reply) => reply.send({ incoming: incoming.summaries() }));
  app.get<{ Params: { id: string } }>('/sandbox/incoming/:id', (request, reply) => {
    const found = incoming.find(request.params.id);
    if (found !== undefined) return reply.send(found);
    throw new GraphFault(404, 'call_not_found', 'No call of that id has rung.');
  });
}
