import type { CallTarget } from './call-target.js';
import { targetProperties } from './call-target.js';
import type { Json } from './json.js';
import { typed } from './json.js';
import type { CallMedia, CallOptions, Modality } from './media.js';
import { mediaConfig } from './media.js';
import type { Party } from './party.js';
import { participantInfo } from './party.js';

export interface CreateCallRequest {
  readonly target: CallTarget;
  /** Tenant of the meeting, or of those who are called; the token's tenant too. */
  readonly tenantId: string;
  /** https address for this call's notifications; fresh and unguessable for each attempt. */
  readonly callbackUri: string;
  readonly media: CallMedia;
  /** @defaultValue audio */
  readonly modalities?: readonly Modality[];
  readonly options?: CallOptions;
  /** Joins as a guest of this name instead of as the app; guests wait in the lobby. */
  readonly displayName?: string;
  /** Who calls, where it is not the app itself; for a phone, its `applicationInstance`. */
  readonly source?: Party;
  /** GUID of the whole scenario, for tracing. */
  readonly scenarioId: string;
}

/** Body of `POST /communications/calls` (Graph: application-post-calls). */
export function newCallBody(request: CreateCallRequest): Json {
  return typed('call', {
    callbackUri: request.callbackUri,
    requestedModalities: request.modalities ?? ['audio'],
    mediaConfig: mediaConfig(request.media),
    source: source(request),
    ...targetProperties(request.target),
    callOptions:
      request.options === undefined
        ? undefined
        : typed('outgoingCallOptions', { ...request.options }),
    tenantId: request.tenantId,
  });
}

function source({ source: given, displayName, scenarioId: id }: CreateCallRequest): unknown {
  if (given !== undefined) return participantInfo(given);
  if (displayName === undefined) return undefined;
  return participantInfo({ kind: 'guest', id, displayName });
}
