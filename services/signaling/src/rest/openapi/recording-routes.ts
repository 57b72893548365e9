import { recordingDeclarationBody, recordingStatusBody } from '../recording-schemas.js';
import type { RouteDescriptions } from './route-description.js';

const CALLBACK = {
  tag: 'graph',
  body: { content: { 'application/json': { schema: { type: 'object' } } } },
} as const;

/** Whether calls may be recorded, and calls that come in. */
export const RECORDING_ROUTES: RouteDescriptions = {
  'POST /v1/calls/{id}/recording-status': {
    headers: ['Idempotency-Key'],
    tag: 'calls',
    summary: 'Tell Graph whether a policy-recording call is recorded',
    description:
      'With `recording` the gate opens when Graph has accepted it. Anything else closes the gate first and is told to Graph two seconds later, when all recorders have stopped: 202 then, as when Graph does not answer yet.',
    body: { schema: recordingStatusBody },
    answer: { status: 200, description: 'Graph was told', schema: 'Call' },
    problems: ['call_not_found', 'call_not_live', 'not_policy_recording', 'graph_refused'],
  },
  'POST /v1/calls/{id}/recording-declaration': {
    headers: ['Idempotency-Key'],
    tag: 'calls',
    summary: 'Declare that a call, other than a policy-recording one, may be recorded',
    description: 'Stands in the audit log before the gate opens.',
    body: { schema: recordingDeclarationBody },
    answer: { status: 200, description: 'The gate is open', schema: 'Call' },
    problems: ['call_not_found', 'call_not_live', 'declaration_not_applicable'],
  },
  'DELETE /v1/calls/{id}/recording-declaration': {
    tag: 'calls',
    summary: 'Take the declaration back; repeating it is harmless',
    answer: { status: 200, description: 'The gate is closed', schema: 'Call' },
    problems: ['call_not_found'],
  },
  'POST /v1/callbacks/incoming': {
    ...CALLBACK,
    summary: 'Take calls that come in, at the webhook that the bot is registered with',
    description:
      '204 for the older format, 307 for a call of another region, 200 with a `participantJoiningResponse` where Graph asks about a participant.',
    answer: { status: 202, description: 'The call is stored, and will be answered' },
    problems: ['invalid_notification', 'call_not_found', 'wrong_tenant', 'redis_unreachable'],
  },
};
