import type { z } from 'zod';
import type { AppIdentity } from './app-tokens.js';
import { requireCreation } from './call-permissions.js';
import type { CallBody } from './call-schema.js';
import { callSchema, isODataType } from './call-schema.js';
import type { CallTarget } from './call-target.js';
import { targetOf } from './call-target.js';
import { badRequest, GraphFault, invalidArgument, tenantMismatch } from './graph-fault.js';

const MODALITIES: ReadonlySet<string> = new Set([
  'audio',
  'video',
  'videobasedscreensharing',
  'data',
]);
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** A call that may be created: what its POST asked for, checked. */
export interface CallRequest {
  readonly callbackUri: string;
  readonly requestedModalities: readonly string[];
  readonly media: RequestedMedia;
  readonly tenantId: string;
  readonly target: CallTarget;
  readonly bot: BotIdentity;
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
  const parsed = callSchema.safeParse(body);
  if (!parsed.success) return { ok: false, fault: schemaFault(parsed.error) };
  try {
    return { ok: true, request: requestOf(parsed.data, app) };
  } catch (error) {
    if (error instanceof GraphFault) return { ok: false, fault: error };
    throw error;
  }
}

/** @throws GraphFault */
function requestOf(call: CallBody, app: AppIdentity): CallRequest {
  requireCallbackUri(call.callbackUri);
  requireModalities(call.requestedModalities);
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

function schemaFault(error: z.ZodError): GraphFault {
  const issue = error.issues[0];
  const property = issue?.path.join('.') ?? '';
  if (property === '') return badRequest('Empty Payload. JSON content expected.');
  if (property.endsWith('@odata.type')) {
    return badRequest(`A value without a valid type name was found for '${property}'.`);
  }
  return invalidArgument(property, 'is missing or malformed');
}

/**
 * A callback address must be https; http is let pass on this machine.
 *
 * @throws GraphFault 400/8523
 */
export function requireCallbackUri(callbackUri: string): void {
  if (!URL.canParse(callbackUri)) throw invalidArgument('callbackUri', 'must be a URL');
  const { protocol, hostname } = new URL(callbackUri);
  const isAllowed = protocol === 'https:' || (protocol === 'http:' && LOOPBACK_HOSTS.has(hostname));
  if (!isAllowed) throw invalidArgument('callbackUri', 'must be https');
}

/** @throws GraphFault 400/8523 */
export function requireModalities(modalities: readonly string[]): void {
  const isKnown = modalities.every((modality) => MODALITIES.has(modality.toLowerCase()));
  if (!isKnown) throw invalidArgument('requestedModalities', 'has an unknown modality');
}

/**
 * Who hosts the media.
 *
 * @throws GraphFault 400
 */
export function mediaOf({ mediaConfig }: Pick<CallBody, 'mediaConfig'>): RequestedMedia {
  const type = mediaConfig['@odata.type'];
  if (isODataType(type, 'serviceHostedMediaConfig')) return { hosted: 'service' };
  if (!isODataType(type, 'appHostedMediaConfig')) {
    throw badRequest("A value without a valid type name was found for 'mediaConfig'.");
  }
  if (!mediaConfig.blob) throw invalidArgument('mediaConfig.blob', 'must be given');
  return { hosted: 'app', blob: mediaConfig.blob };
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
