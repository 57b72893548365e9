import type { Json } from './json.js';
import { typed } from './json.js';

/** Someone, or something, that can be called. Holds personal data. */
export type Party =
  | {
      readonly kind: 'user' | 'application' | 'applicationInstance';
      /** Object id of the user or the instance (a number's resource account); client id of the app. */
      readonly id: string;
      readonly displayName?: string;
      readonly tenantId?: string;
    }
  | {
      readonly kind: 'phone';
      /** E.164, such as `+12065550100`. */
      readonly id: string;
    }
  | {
      readonly kind: 'guest';
      /** Any GUID. */
      readonly id: string;
      readonly displayName: string;
    };

/** Someone to bring into a call (Graph: `invitationParticipantInfo`). */
export interface Invitation {
  readonly party: Party;
  /** Not shown in the roster. */
  readonly isHidden?: boolean;
  readonly participantId?: string;
  /** Left out of the mix that all hear. */
  readonly removeFromDefaultAudioRoutingGroup?: boolean;
  /** Our other call with the same party, which this one takes the place of. */
  readonly replacesCallId?: string;
}

export function identitySet({ kind, ...identity }: Party): Json {
  return typed('identitySet', { [kind]: typed('identity', identity) });
}

export function participantInfo(party: Party): Json {
  return typed('participantInfo', { identity: identitySet(party) });
}

export function invitation(invited: Invitation): Json {
  return typed('invitationParticipantInfo', {
    identity: identitySet(invited.party),
    hidden: invited.isHidden,
    participantId: invited.participantId,
    removeFromDefaultAudioRoutingGroup: invited.removeFromDefaultAudioRoutingGroup,
    replacesCallId: invited.replacesCallId,
  });
}
