import {
  inviteBody,
  listParticipantsQuery,
  rosterEntryView,
  rosterView,
} from '../participant-schemas.js';
import { OPERATION } from './control-routes.js';
import type { NamedSchemas, RouteDescription, RouteDescriptions } from './route-description.js';

const ON_PARTICIPANT: Pick<RouteDescription, 'tag' | 'headers' | 'answer' | 'problems'> = {
  ...OPERATION,
  tag: 'participants',
  problems: [...(OPERATION.problems ?? []), 'participant_not_found'],
};

/** Who is in a call, and what can be done to them. */
export const PARTICIPANT_ROUTES: RouteDescriptions = {
  'GET /v1/calls/{id}/participants': {
    tag: 'participants',
    summary: 'Who is in the call, in its lobby, or has left',
    query: listParticipantsQuery,
    answer: { status: 200, description: 'A page of participants', schema: 'Roster' },
    problems: ['call_not_found', 'invalid_cursor'],
  },
  'POST /v1/calls/{id}/participants': {
    ...OPERATION,
    tag: 'participants',
    summary: 'Bring up to five in',
    description: 'Into group calls, and meetings whose chat is known.',
    body: { schema: inviteBody },
  },
  'GET /v1/calls/{id}/participants/{pid}': {
    tag: 'participants',
    summary: 'One participant, also of those who left',
    answer: { status: 200, description: 'The participant', schema: 'RosterEntry' },
    problems: ['call_not_found', 'participant_not_found'],
  },
  'DELETE /v1/calls/{id}/participants/{pid}': {
    ...ON_PARTICIPANT,
    summary: 'Remove someone',
    description: "The meeting's tenant must allow the app to.",
  },
  'POST /v1/calls/{id}/participants/{pid}/mute': {
    ...ON_PARTICIPANT,
    summary: 'Mute someone for all; only they can unmute',
  },
  'POST /v1/calls/{id}/participants/{pid}/hold-music': {
    ...ON_PARTICIPANT,
    summary: 'Let someone hear the music of Teams alone',
  },
  'DELETE /v1/calls/{id}/participants/{pid}/hold-music': {
    ...ON_PARTICIPANT,
    summary: 'Let them hear the call again',
  },
};

export const PARTICIPANT_SCHEMAS: NamedSchemas = {
  RosterEntry: rosterEntryView,
  Roster: rosterView,
};
