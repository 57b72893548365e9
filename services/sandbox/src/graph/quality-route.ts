import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { bodyOf } from './action-bodies.js';
import type { CallGate } from './call-gate.js';
import { requireMethod } from './call-permissions.js';

const qualityBody = z.looseObject({
  quality: z.looseObject({
    callChainId: z.guid(),
    participantId: z.guid(),
    mediaLegId: z.guid(),
    deviceName: z.string(),
    deviceDescription: z.string(),
    mediaQualityList: z.array(z.looseObject({ '@odata.type': z.string().optional() })),
  }),
});

/** `…/calls/logTeleconferenceDeviceQuality`: checked and forgotten. */
export function addQualityRoute(app: FastifyInstance, calls: string, gate: CallGate): void {
  const name = 'logTeleconferenceDeviceQuality';
  for (const segment of [name, `microsoft.graph.${name}`]) {
    app.post(`${calls}/${segment}`, async (request, reply) => {
      const { roles } = await gate.enter(request);
      requireMethod(roles, name);
      bodyOf(qualityBody, request.body);
      return reply.code(200).send();
    });
  }
}
