import { z } from 'zod';
import type { AppIdentity } from './app-tokens.js';
import type { GraphFault } from './graph-fault.js';
import {
  badRequest,
  insufficientPermissions,
  invalidArgument,
  notSimulated,
  tenantMismatch,
} from './graph-fault.js';

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
  /** The media host's opaque blob. */
  readonly blob: string;
  readonly tenantId: string;
  readonly target: MeetingTarget;
  readonly bot: BotIdentity;
  /** The properties to be shown again, as they came. */
  readonly chatInfo: unknown;
  readonly meetingInfo: unknown;
}

/** Which meeting is meant. */
export type MeetingTarget =
  | { readonly kind: 'organizer'; readonly threadId: string; readonly organizerId: string }
  | {
      readonly kind: 'joinMeetingId';
      readonly joinMeetingId: string;
      readonly passcode: string | undefined;
    };

/** As whom the bot takes part. */
export interface BotIdentity {
  readonly kind: 'application' | 'guest';
  readonly id: string;
  readonly displayName: string | undefined;
}

export type CallRequestResult =
  | { readonly ok: true; readonly request: CallRequest }
  | { readonly ok: false; readonly fault: GraphFault };

const identitySchema = z.looseObject({
  id: z.string().min(1).nullish(),
  displayName: z.string().nullish(),
});

const callSchema = z.looseObject({
  '@odata.type': odataType('call').optional(),
  callbackUri: z.string(),
  requestedModalities: z.array(z.string()).min(1),
  mediaConfig: z.looseObject({ '@odata.type': z.string(), blob: z.string().nullish() }),
  chatInfo: z
    .looseObject({
      '@odata.type': odataType('chatInfo').optional(),
      threadId: z.string().nullish(),
      messageId: z.string().nullish(),
    })
    .nullish(),
  meetingInfo: z
    .looseObject({
      '@odata.type': z.string(),
      organizer: z.looseObject({ user: identitySchema.nullish() }).nullish(),
      joinMeetingId: z.string().nullish(),
      passcode: z.string().nullish(),
    })
    .nullish(),
  targets: z.array(z.unknown()).nullish(),
  source: z
    .looseObject({
      identity: z
        .looseObject({ application: identitySchema.nullish(), guest: identitySchema.nullish() })
        .nullish(),
    })
    .nullish(),
  callOptions: z.looseObject({ isDeltaRosterEnabled: z.boolean().nullish() }).nullish(),
  tenantId: z.string().nullish(),
});

type CallBody = z.infer<typeof callSchema>;

/**
 * Checks the body of `POST /communications/calls` as Graph does for a bot that joins a meeting
 * with app-hosted media. Never throws, whatever the body.
 *
 * @param app who asks, by its token.
 */
export function parseCallRequest(body: unknown, app: AppIdentity): CallRequestResult {
  const parsed = callSchema.safeParse(body);
  if (!parsed.success) return refuse(schemaFault(parsed.error));
  const call = parsed.data;
  const fault =
    callbackFault(call.callbackUri) ??
    modalityFault(call.requestedModalities) ??
    scenarioFault(call) ??
    tenantFault(call, app) ??
    permissionFault(call, app);
  if (fault !== undefined) return refuse(fault);
  const target = targetOf(call);
  const blob = call.mediaConfig.blob;
  if (!blob) return refuse(invalidArgument('mediaConfig.blob', 'must be given'));
  if (!('kind' in target)) return refuse(target.fault);
  return {
    ok: true,
    request: {
      callbackUri: call.callbackUri,
      requestedModalities: call.requestedModalities,
      blob,
      tenantId: app.tenantId,
      target,
      bot: botOf(call, app),
      chatInfo: call.chatInfo ?? null,
      meetingInfo: call.meetingInfo ?? null,
    },
  };
}

/** Whether an `@odata.type` names `microsoft.graph.<name>`. */
export function isODataType(type: string | undefined, name: string): boolean {
  return type?.replace(/^#/, '') === `microsoft.graph.${name}`;
}

function odataType(name: string): z.ZodString {
  return z.string().regex(new RegExp(`^#?microsoft\\.graph\\.${name}$`), 'is of another type');
}

function refuse(fault: GraphFault): CallRequestResult {
  return { ok: false, fault };
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

function callbackFault(callbackUri: string): GraphFault | undefined {
  if (!URL.canParse(callbackUri)) return invalidArgument('callbackUri', 'must be a URL');
  const { protocol, hostname } = new URL(callbackUri);
  const isAllowed = protocol === 'https:' || (protocol === 'http:' && LOOPBACK_HOSTS.has(hostname));
  return isAllowed ? undefined : invalidArgument('callbackUri', 'must be https');
}

function modalityFault(modalities: readonly string[]): GraphFault | undefined {
  const isKnown = modalities.every((modality) => MODALITIES.has(modality.toLowerCase()));
  return isKnown ? undefined : invalidArgument('requestedModalities', 'has an unknown modality');
}

/** What the sandbox leaves out is said to be left out. */
function scenarioFault(call: CallBody): GraphFault | undefined {
  if (isODataType(call.mediaConfig['@odata.type'], 'serviceHostedMediaConfig')) {
    return notSimulated('service-hosted media');
  }
  if (!isODataType(call.mediaConfig['@odata.type'], 'appHostedMediaConfig')) {
    return badRequest("A value without a valid type name was found for 'mediaConfig'.");
  }
  if (call.targets && call.targets.length > 0) {
    return notSimulated('calls to users, groups or phones');
  }
  if (call.callOptions?.isDeltaRosterEnabled) return notSimulated('delta rosters');
  return undefined;
}

/** A missing tenant is a mismatch too: reported by users, and so answered by the real service. */
function tenantFault(call: CallBody, app: AppIdentity): GraphFault | undefined {
  return call.tenantId?.toLowerCase() === app.tenantId.toLowerCase() ? undefined : tenantMismatch();
}

/** The role to join is another for a guest; access to the media comes on top. */
function permissionFault(call: CallBody, app: AppIdentity): GraphFault | undefined {
  const join = call.source?.identity?.guest
    ? 'Calls.JoinGroupCallAsGuest.All'
    : 'Calls.JoinGroupCall.All';
  const isGranted = app.roles.has(join) && app.roles.has('Calls.AccessMedia.All');
  return isGranted ? undefined : insufficientPermissions();
}

function targetOf({ meetingInfo, chatInfo }: CallBody): MeetingTarget | { fault: GraphFault } {
  const type = meetingInfo?.['@odata.type'];
  if (meetingInfo === undefined || meetingInfo === null) {
    return { fault: invalidArgument('meetingInfo', 'must be given') };
  }
  if (isODataType(type, 'tokenMeetingInfo')) return { fault: notSimulated('joining by token') };
  if (isODataType(type, 'joinMeetingIdMeetingInfo')) {
    if (chatInfo)
      return { fault: invalidArgument('chatInfo', 'must not be given with a meeting id') };
    if (!meetingInfo.joinMeetingId) {
      return { fault: invalidArgument('meetingInfo.joinMeetingId', 'must be given') };
    }
    const { joinMeetingId, passcode } = meetingInfo;
    return { kind: 'joinMeetingId', joinMeetingId, passcode: passcode ?? undefined };
  }
  if (!isODataType(type, 'organizerMeetingInfo')) {
    return { fault: badRequest("A value without a valid type name was found for 'meetingInfo'.") };
  }
  const organizerId = meetingInfo.organizer?.user?.id;
  if (!organizerId)
    return { fault: invalidArgument('meetingInfo.organizer.user.id', 'must be given') };
  if (!chatInfo?.threadId) return { fault: invalidArgument('chatInfo.threadId', 'must be given') };
  return { kind: 'organizer', threadId: chatInfo.threadId, organizerId };
}

function botOf({ source }: CallBody, app: AppIdentity): BotIdentity {
  const guest = source?.identity?.guest;
  if (guest) {
    return {
      kind: 'guest',
      id: guest.id ?? app.clientId,
      displayName: guest.displayName ?? undefined,
    };
  }
  // A name other than the app's own can only be had as a guest.
  return { kind: 'application', id: app.clientId, displayName: undefined };
}
