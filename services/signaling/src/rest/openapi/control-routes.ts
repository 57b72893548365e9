import {
  audioRoutingBody,
  audioRoutingGroupListView,
  audioRoutingGroupView,
} from '../audio-routing-schemas.js';
import { screenSharingRoleBody, tonesBody } from '../control-schemas.js';
import { operationListView, operationView } from '../operation-schemas.js';
import { pageQuery } from '../paging.js';
import { transferBody } from '../participant-schemas.js';
import type { NamedSchemas, RouteDescription, RouteDescriptions } from './route-description.js';

/** What Graph may say to any request about a call. */
export const GRAPH_PROBLEMS: readonly string[] = [
  'call_not_found',
  'call_not_live',
  'graph_refused',
  'graph_throttled',
  'graph_failed',
  'graph_timeout',
  'graph_unreachable',
  'graph_answer_unreadable',
  'graph_token_refused',
  'graph_token_unavailable',
  'graph_request_invalid',
];

/** What all routes have in common that ask something of Teams. */
export const OPERATION: Pick<RouteDescription, 'headers' | 'answer' | 'problems'> = {
  headers: ['Idempotency-Key'],
  answer: { status: 202, description: 'Teams has it, or has done it', schema: 'Operation' },
  problems: [...GRAPH_PROBLEMS, 'too_many_operations'],
};

/** What our own leg does in a call, and what became of it. */
export const CONTROL_ROUTES: RouteDescriptions = {
  'POST /v1/calls/{id}/mute': {
    tag: 'control',
    summary: 'Mute our own leg, for all to see',
    description: 'In meetings and group calls.',
    ...OPERATION,
  },
  'POST /v1/calls/{id}/unmute': {
    tag: 'control',
    summary: 'Take our own mute back',
    description: 'In meetings and group calls.',
    ...OPERATION,
  },
  'POST /v1/calls/{id}/tones': {
    tag: 'control',
    summary: 'Send key presses',
    body: { schema: tonesBody },
    ...OPERATION,
  },
  'POST /v1/calls/{id}/screen-sharing-role': {
    tag: 'control',
    summary: 'See a screen, or share one',
    body: { schema: screenSharingRoleBody },
    ...OPERATION,
  },
  'POST /v1/calls/{id}/transfer': {
    tag: 'control',
    summary: 'Hand the call over',
    description:
      'It is `completed` when the other side has taken it; the call then ends with subcode 7015. When nobody does, it is `failed` and the call is `established` again.',
    body: { schema: transferBody },
    ...OPERATION,
  },
  'POST /v1/calls/{id}/large-gallery-view': {
    tag: 'control',
    summary: 'Add the view of many to the meeting',
    ...OPERATION,
  },
  'POST /v1/calls/{id}/prompts': {
    tag: 'control',
    summary: 'Refused: prompts are for calls whose media Teams hosts',
    description: 'Post audio to `/v1/calls/{id}/play` instead.',
    answer: { status: 202, description: 'Never, for calls that Earshot has the media of' },
    problems: ['call_not_found', 'needs_service_hosted_media'],
  },
  'GET /v1/calls/{id}/operations': {
    tag: 'operations',
    summary: 'What was asked of Teams, newest first',
    description: 'The newest 64 of a call. `call.operation` tells of each that is over.',
    query: pageQuery,
    answer: { status: 200, description: 'A page of operations', schema: 'OperationList' },
    problems: ['call_not_found', 'invalid_cursor'],
  },
  'GET /v1/calls/{id}/operations/{opId}': {
    tag: 'operations',
    summary: 'One operation',
    answer: { status: 200, description: 'The operation', schema: 'Operation' },
    problems: ['call_not_found', 'operation_not_found'],
  },
  'GET /v1/calls/{id}/audio-routing-groups': {
    tag: 'control',
    summary: 'Who hears whom apart from the others',
    query: pageQuery,
    answer: { status: 200, description: 'A page of groups', schema: 'AudioRoutingGroupList' },
    problems: [...GRAPH_PROBLEMS, 'invalid_cursor'],
  },
  'POST /v1/calls/{id}/audio-routing-groups': {
    tag: 'control',
    summary: 'Let some hear some apart from the others',
    headers: ['Idempotency-Key'],
    body: { schema: audioRoutingBody },
    answer: { status: 201, description: 'The group', schema: 'AudioRoutingGroup' },
    problems: GRAPH_PROBLEMS,
  },
  'GET /v1/calls/{id}/audio-routing-groups/{groupId}': {
    tag: 'control',
    summary: 'One group',
    answer: { status: 200, description: 'The group', schema: 'AudioRoutingGroup' },
    problems: GRAPH_PROBLEMS,
  },
  'PUT /v1/calls/{id}/audio-routing-groups/{groupId}': {
    tag: 'control',
    summary: 'Change a group',
    body: { schema: audioRoutingBody },
    answer: { status: 200, description: 'The group as it is now', schema: 'AudioRoutingGroup' },
    problems: GRAPH_PROBLEMS,
  },
  'DELETE /v1/calls/{id}/audio-routing-groups/{groupId}': {
    tag: 'control',
    summary: 'Remove a group',
    answer: { status: 204, description: 'Removed' },
    problems: GRAPH_PROBLEMS,
  },
};

export const CONTROL_SCHEMAS: NamedSchemas = {
  Operation: operationView,
  OperationList: operationListView,
  AudioRoutingGroup: audioRoutingGroupView,
  AudioRoutingGroupList: audioRoutingGroupListView,
};
