import type { FastifyInstance } from 'fastify';
import type { CallGate } from './call-gate.js';
import { requireMethod } from './call-permissions.js';
import { requireAction } from './metadata-check.js';

/** `…/calls/logTeleconferenceDeviceQuality`: checked and forgotten. */
export function addQualityRoute(app: FastifyInstance, calls: string, gate: CallGate): void {
  const name = 'logTeleconferenceDeviceQuality';
  for (const segment of [name, `microsoft.graph.${name}`]) {
    app.post(`${calls}/${segment}`, async (request, reply) => {
      const { roles } = await gate.enter(request);
      requireMethod(roles, name);
      requireAction('Collection(call)', name, request.body);
      return reply.code(200).send();
    });
  }
}
