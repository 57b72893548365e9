import { listeningChangeSchema, listeningSettingsSchema } from '@earshot/listening';
import { transcriptQuery, transcriptView } from '../transcript-schemas.js';
import type { NamedSchemas, RouteDescriptions } from './route-description.js';

/** What is listened for in a call. */
export const LISTENING_ROUTES: RouteDescriptions = {
  'GET /v1/calls/{id}/listening': {
    tag: 'listening',
    summary: 'What is listened for in a call',
    answer: { status: 200, description: 'The settings', schema: 'ListeningSettings' },
    problems: ['call_not_found'],
  },
  'PATCH /v1/calls/{id}/listening': {
    tag: 'listening',
    summary: 'Listen for something else from now on',
    description:
      'Each of `tones`, `collect`, `phrases` and `dictation` that is named is replaced as a whole; `null` ends it. The media worker has it at once, or seconds later.',
    body: { schema: listeningChangeSchema },
    answer: { status: 200, description: 'The settings as stored', schema: 'ListeningSettings' },
    problems: ['call_not_found'],
  },
  'GET /v1/calls/{id}/transcript': {
    tag: 'listening',
    summary: 'What is kept of what was said',
    description:
      'Only what was said while the recording gate was open, and only where `EARSHOT_KEEP_TRANSCRIPTS` is `true`.',
    query: transcriptQuery,
    answer: {
      status: 200,
      description: 'The transcript',
      content: {
        'application/json': { schema: { $ref: '#/components/schemas/Transcript' } },
        'text/vtt': { schema: { type: 'string' } },
        'application/x-subrip': { schema: { type: 'string' } },
      },
    },
    problems: ['call_not_found', 'transcript_not_kept'],
  },
  'DELETE /v1/calls/{id}/transcript': {
    tag: 'listening',
    summary: 'Forget what is kept; repeating it is harmless',
    answer: { status: 204, description: 'Forgotten' },
    problems: ['call_not_found'],
  },
};

export const LISTENING_SCHEMAS: NamedSchemas = {
  ListeningSettings: listeningSettingsSchema,
  Transcript: transcriptView,
};
