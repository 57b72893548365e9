import { bodyOf } from './action-bodies.js';
import type { AppIdentity } from './app-tokens.js';
import { requireCreation } from './call-permissions.js';
import type { CallBody } from './call-schema.js';
import { callSchema, isODataType } from './call-schema.js';
import type { CallTarget } from './call-target.js';
import { targetOf } from './call-target.js';
import { GraphFault, tenantMismatch } from './graph-fault.js';
import { requireNewCall } from './metadata-check.js';

/** A call that may be created: what its POST asked for, checked. */
export interface CallRequest {
  readonly callbackUri: string;
  readonly requestedModalities: readonly string[];
  readonly media: RequestedMedia;
  readonly tenantId: string;
  readonly target: CallTarget;
  readonly bot: BotIdentity;
  /** The bot was called, and answered. */
  readonly isIncoming: boolean;
  /** A recording policy brought it about. */
  readonly isPolicyRecording: boolean;
  /** Rosters tell only what changed. */
  readonly isDeltaRoster: boolean;
  /** The properties to be shown again, as they came. */
  readonly shown: ShownProperties;
}

/** Who has the audio: the bot's media host, which made the blob, or Graph. */
export type RequestedMedia =
  | { readonly hosted: 'app'; readonly blob: string }
  | { readonly hosted: 'service' };

export interface ShownProperties {
  readonly mediaConfig: unknown;
  readonly chatInfo: unknown;
  readonly meetingInfo: unknown;
  readonly targets: readonly unknown[];
  readonly callOptions: unknown;
}

/** As whom the bot takes part. */
export interface BotIdentity {
  readonly kind: 'application' | 'applicationInstance' | 'guest';
  readonly id: string;
  readonly displayName: string | undefined;
}

export type CallRequestResult =
  | { readonly ok: true; readonly request: CallRequest }
  | { readonly ok: false; readonly fault: GraphFault };

/**
 * Checks the body of `POST /communications/calls` as Graph does. Never throws, whatever the body.
 *
 * @param app who asks, by its token.
 */
export function parseCallRequest(body: unknown, app: AppIdentity): CallRequestResult {
  try {
    requireNewCall(body);
    return { ok: true, request: requestOf(bodyOf(callSchema, body), app) };
  } catch (error) {
    if (error instanceof GraphFault) return { ok: false, fault: error };
    throw error;
  }
}

/** @throws GraphFault */
function requestOf(call: CallBody, app: AppIdentity): CallRequest {
  const media = mediaOf(call);
  const target = targetOf(call);
  requireTenant(call, target, app);
  const isGuest = Boolean(call.source?.identity?.guest);
  requireCreation(app.roles, { target, isGuest, isAppHosted: media.hosted === 'app' });
  return {
    callbackUri: call.callbackUri,
    requestedModalities: call.requestedModalities,
    media,
    tenantId: app.tenantId,
    target,
    bot: botOf(call, app),
    isIncoming: false,
    isPolicyRecording: false,
    isDeltaRoster: call.callOptions?.isDeltaRosterEnabled ?? false,
    shown: {
      mediaConfig: call.mediaConfig,
      chatInfo: call.chatInfo ?? null,
      meetingInfo: call.meetingInfo ?? null,
      targets: call.targets ?? [],
      callOptions: call.callOptions ?? null,
    },
  };
}

/** A meeting without its tenant is a mismatch too: so the real service answers, users report. */
function requireTenant({ tenantId }: CallBody, target: CallTarget, app: AppIdentity): void {
  const isOptional = 'callees' in target;
  if (isOptional && (tenantId === undefined || tenantId === null)) return;
  if (tenantId?.toLowerCase() !== app.tenantId.toLowerCase()) throw tenantMismatch();
}

/** Who hosts the media; the metadata know no third. */
export function mediaOf({ mediaConfig }: Pick<CallBody, 'mediaConfig'>): RequestedMedia {
  const isService = isODataType(mediaConfig['@odata.type'], 'serviceHostedMediaConfig');
  if (isService) return { hosted: 'service' };
  return { hosted: 'app', blob: mediaConfig.blob ?? '' };
}

function botOf({ source }: CallBody, app: AppIdentity): BotIdentity {
  for (const kind of ['guest', 'applicationInstance'] as const) {
    const facet = source?.identity?.[kind];
    if (!facet) continue;
    return { kind, id: facet.id ?? app.clientId, displayName: facet.displayName ?? undefined };
  }
  // A name other than the app's own can only be had as a guest.
  return { kind: 'application', id: app.clientId, displayName: undefined };
}
