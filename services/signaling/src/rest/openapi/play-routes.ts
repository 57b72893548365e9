import { AUDIO_TYPES } from '../../plays/posted-audio.js';
import { pageQuery } from '../paging.js';
import { playListView, playView } from '../play-schemas.js';
import type { NamedSchemas, RouteDescriptions } from './route-description.js';

const AUDIO = { type: 'string', format: 'binary' } as const;

/** Audio into meetings. */
export const PLAY_ROUTES: RouteDescriptions = {
  'POST /v1/calls/{id}/play': {
    tag: 'audio',
    summary: 'Play audio into the meeting, after what was posted before',
    headers: ['Idempotency-Key'],
    body: {
      description: 'Ogg Opus, or uncompressed WAV: at most 10 MiB and 10 minutes',
      content: Object.fromEntries(AUDIO_TYPES.map((type) => [type, { schema: AUDIO }])),
    },
    answer: { status: 202, description: 'It is queued', schema: 'Play' },
    problems: [
      'call_not_found',
      'call_not_live',
      'host_cannot_play',
      'too_large',
      'unsupported_media_type',
      'invalid_audio',
      'too_many_plays',
    ],
  },
  'GET /v1/calls/{id}/plays': {
    tag: 'audio',
    summary: 'What is, was and will be played into the meeting',
    query: pageQuery,
    answer: {
      status: 200,
      description: 'The plays: all that wait and the newest of the others',
      schema: 'PlayList',
    },
    problems: ['call_not_found', 'invalid_cursor'],
  },
  'GET /v1/calls/{id}/plays/{playId}': {
    tag: 'audio',
    summary: 'One play',
    answer: { status: 200, description: 'The play', schema: 'Play' },
    problems: ['call_not_found', 'play_not_found'],
  },
  'DELETE /v1/calls/{id}/plays/{playId}': {
    tag: 'audio',
    summary: 'Stop it, or take it off the queue; repeating it is harmless',
    answer: { status: 202, description: 'It is being cleared, or is over', schema: 'Play' },
    problems: ['call_not_found', 'play_not_found'],
  },
};

export const PLAY_SCHEMAS: NamedSchemas = { Play: playView, PlayList: playListView };
