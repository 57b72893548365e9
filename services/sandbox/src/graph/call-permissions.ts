import type { CallTarget } from './call-target.js';
import { insufficientPermissions } from './graph-fault.js';

const JOIN = 'Calls.JoinGroupCall.All';
const JOIN_AS_GUEST = 'Calls.JoinGroupCallAsGuest.All';
/** Granted for one chat only, by its members: resource-specific consent. */
const JOIN_IN_CHAT = 'Calls.JoinGroupCalls.Chat';
const INITIATE = 'Calls.Initiate.All';
const INITIATE_GROUP = 'Calls.InitiateGroupCall.All';
const ACCESS_MEDIA = 'Calls.AccessMedia.All';
const ACCESS_MEDIA_IN_CHAT = 'Calls.AccessMedia.Chat';

/** Of each group one permission is enough. */
type Needs = readonly (readonly string[])[];

/** Methods that are allowed by more than the call's creation (Graph: permission tables). */
const METHOD_NEEDS: Readonly<Record<string, Needs>> = {
  inviteParticipants: [[INITIATE_GROUP]],
  transfer: [[INITIATE]],
  redirect: [[INITIATE]],
  sendDtmfTones: [[INITIATE, ACCESS_MEDIA]],
  recordResponse: [[ACCESS_MEDIA]],
  subscribeToTone: [[ACCESS_MEDIA]],
  changeScreenSharingRole: [[ACCESS_MEDIA]],
  updateRecordingStatus: [[ACCESS_MEDIA, JOIN]],
  logTeleconferenceDeviceQuality: [[ACCESS_MEDIA]],
};

/**
 * Checks what creating a call needs: the right to reach its target, and access to the media on
 * top where the app hosts them.
 *
 * @throws GraphFault 403/7504
 */
export function requireCreation(
  roles: ReadonlySet<string>,
  {
    target,
    isGuest,
    isAppHosted,
  }: { readonly target: CallTarget; readonly isGuest: boolean; readonly isAppHosted: boolean },
): void {
  const reach = reachNeeds(target, isGuest);
  const media = isAppHosted ? [[ACCESS_MEDIA, ACCESS_MEDIA_IN_CHAT]] : [];
  requireAll(roles, [reach, ...media]);
}

/** @throws GraphFault 403/7504 */
export function requireMethod(roles: ReadonlySet<string>, method: string): void {
  requireAll(roles, METHOD_NEEDS[method] ?? []);
}

function reachNeeds({ kind }: CallTarget, isGuest: boolean): readonly string[] {
  switch (kind) {
    case 'peer':
    case 'phone':
      return [INITIATE];
    case 'group':
      return [INITIATE_GROUP];
    default:
      return isGuest ? [JOIN_AS_GUEST] : [JOIN, JOIN_IN_CHAT];
  }
}

function requireAll(roles: ReadonlySet<string>, needs: Needs): void {
  const isGranted = needs.every((anyOf) => anyOf.some((role) => roles.has(role)));
  if (!isGranted) throw insufficientPermissions();
}
