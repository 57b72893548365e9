import type { Metrics } from '@earshot/telemetry';
import type { FastifyInstance } from 'fastify';
import type { MeetingSummary } from './meetings/meeting-book.js';

export interface SandboxRoutesOptions {
  readonly metrics: Metrics;
  meetings(): MeetingSummary[];
  /** @throws CodedError `invalid_meeting` and those of the audio. */
  addMeeting(definition: unknown): Promise<MeetingSummary>;
}

/** What the sandbox offers beside Graph: its meetings, health and metrics. */
export function addSandboxRoutes(app: FastifyInstance, options: SandboxRoutesOptions): void {
  app.get('/sandbox/meetings', (_request, reply) => reply.send({ meetings: options.meetings() }));
  app.post('/sandbox/meetings', async (request, reply) =>
    reply.code(201).send(await options.addMeeting(request.body)),
  );
  app.get('/livez', (_request, reply) => reply.send({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => reply.send({ status: 'ok' }));
  app.get('/metrics', async (_request, reply) =>
    reply.type(options.metrics.contentType).send(await options.metrics.text()),
  );
}
