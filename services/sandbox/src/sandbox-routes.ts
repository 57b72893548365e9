import { CodedError } from '@earshot/async';
import type { Health, Metrics } from '@earshot/telemetry';
import { addHealthRoutes } from '@earshot/telemetry';
import { writeWav } from '@earshot/wav';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { GraphFault } from './graph/graph-fault.js';
import type { MediaSession } from './host/media-session.js';
import type { MeetingSummary } from './meetings/meeting-book.js';

const startMediaSchema = z.object({
  blob: z.string().min(1),
  meeting: z.string().min(1).optional(),
});

export interface SandboxRoutesOptions {
  readonly metrics: Metrics;
  readonly health: Health;
  meetings(): MeetingSummary[];
  /** @throws CodedError `invalid_meeting` and those of the audio. */
  addMeeting(definition: unknown): Promise<MeetingSummary>;
  /** @throws CodedError `meeting_not_found`, `blob_not_found` */
  startMedia(blob: string, meeting: string | undefined): { mediaId: string; callId: string };
  /** By any of a call's ids. */
  findCall(id: string): MediaSession | undefined;
}

/** What the sandbox offers beside Graph: its meetings, their audio, health and metrics. */
export function addSandboxRoutes(app: FastifyInstance, options: SandboxRoutesOptions): void {
  app.get('/sandbox/meetings', (_request, reply) => reply.send({ meetings: options.meetings() }));
  app.post('/sandbox/meetings', async (request, reply) =>
    reply.code(201).send(await options.addMeeting(request.body)),
  );
  app.post('/sandbox/media', (request, reply) => {
    const parsed = startMediaSchema.safeParse(request.body);
    if (!parsed.success) {
      throw new CodedError(
        'invalid_request',
        'Cannot start the audio: the body must be {blob, meeting?}, got something else',
      );
    }
    const { blob, meeting } = parsed.data;
    return reply.code(201).send(options.startMedia(blob, meeting));
  });
  addCallMediaRoutes(app, options);
  addHealthRoutes(app, options.health);
  app.get('/metrics', async (_request, reply) =>
    reply.type(options.metrics.contentType).send(await options.metrics.text()),
  );
}

/** What was heard and lost in a call, while it lasts and for a while after. */
function addCallMediaRoutes(app: FastifyInstance, { findCall }: SandboxRoutesOptions): void {
  const callOf = (id: string): MediaSession => {
    const session = findCall(id);
    if (session !== undefined) return session;
    throw new GraphFault(404, 'call_not_found', 'The media host has no such call.');
  };
  app.get<{ Params: { id: string } }>('/sandbox/calls/:id/media', (request, reply) => {
    const session = callOf(request.params.id);
    const heard = session.heard.piece();
    return reply.send({
      mediaId: session.mediaId,
      callId: session.callId,
      graphCallId: session.graphCallId ?? null,
      accounts: session.accounts(),
      sends: session.sendStates(),
      straySendFrames: session.straySendFrames,
      heard: heard === undefined ? null : { startMs: heard.startMs, samples: heard.samples.length },
    });
  });
  app.get<{ Params: { id: string } }>('/sandbox/calls/:id/heard.wav', (request, reply) => {
    const heard = callOf(request.params.id).heard.piece();
    if (heard === undefined) {
      throw new GraphFault(404, 'nothing_heard', 'Nothing was played into the meeting.');
    }
    return reply
      .type('audio/wav')
      .header('heard-start-ms', String(heard.startMs))
      .send(Buffer.from(writeWav(heard.samples, heard.sampleRateHz)));
  });
}
