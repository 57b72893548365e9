import type { Registry } from '@earshot/registry';
import type { Transcript } from '@earshot/transcript';
import { TranscriptAssembler } from '@earshot/transcript';
import { exportTranscript, MEDIA_TYPES } from '@earshot/transcript-export';
import type { FastifyInstance } from 'fastify';
import { callOf } from './call-of.js';
import { Problem } from './problem.js';
import type { TranscriptView } from './transcript-schemas.js';
import { transcriptQuery } from './transcript-schemas.js';
import { validate } from './validate.js';

/** What the routes stand on. */
export interface TranscriptRoutesOptions {
  readonly registry: Registry;
  /** Whether transcripts are kept at all. */
  readonly areKept: boolean;
}

interface CallParams {
  Params: { id: string };
}

const READ = { config: { scope: 'transcripts:read' } } as const;
const DELETE = { config: { scope: 'transcripts:delete' } } as const;
const TRANSCRIPT = '/v1/calls/:id/transcript';

/** `/v1/calls/:id/transcript`: what is kept of what was said. */
export function addTranscriptRoutes(
  app: FastifyInstance,
  { registry, areKept }: TranscriptRoutesOptions,
): void {
  app.get<CallParams>(TRANSCRIPT, READ, async (request, reply) => {
    const { format } = validate(transcriptQuery, request.query, 'query');
    const view = await viewOf(request.params.id);
    reply.header('cache-control', 'no-store').type(MEDIA_TYPES[format]);
    return format === 'json' ? reply.send(view) : reply.send(exportTranscript(view, format));
  });

  app.delete<CallParams>(TRANSCRIPT, DELETE, async ({ params }, reply) => {
    // A transcript may be kept for longer than its call's record.
    if (!(await registry.transcripts.delete(params.id))) await callOf(registry, params.id);
    return reply.code(204).send();
  });

  async function viewOf(callId: string): Promise<TranscriptView> {
    const { events, ...counts } = await registry.transcripts.read(callId);
    if (events.length === 0) {
      await callOf(registry, callId);
      if (!areKept) throw notKept();
    }
    const assembler = new TranscriptAssembler(callId);
    for (const event of events) assembler.add(event);
    const transcript: Transcript = assembler.transcript;
    return { ...transcript, ...counts };
  }
}

function notKept(): Problem {
  return new Problem({
    status: 404,
    code: 'transcript_not_kept',
    title: 'No transcript',
    detail:
      'Cannot show a transcript: the service must keep them and the recording gate must have been open, got neither',
    fix: 'Set EARSHOT_KEEP_TRANSCRIPTS=true; to see one while it comes, follow /v1/calls/:id/events?types=transcript.*.',
  });
}
