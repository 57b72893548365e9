/** Facets of an identity that a participant can have, in the order in which they are tried. */
export const PARTICIPANT_KINDS = [
  'user',
  'guest',
  'phone',
  'applicationInstance',
  'application',
  'azureCommunicationServicesUser',
  'onPremises',
  'assertedIdentity',
  'encrypted',
  'device',
  'unknown',
] as const;

/** What a participant is: the identity facet that names it; `unknown` for none of those. */
export type ParticipantKind = (typeof PARTICIPANT_KINDS)[number];

/** Someone (or some app) in the roster of a call. Plain JSON; holds personal data. */
export interface Participant {
  /** Graph's id of this presence in this call, in the form first received. */
  readonly id: string;
  readonly kind: ParticipantKind;
  readonly displayName?: string;
  /** Id within the kind: object id of a user, number of a phone. */
  readonly identityId?: string;
  readonly tenantId?: string;
  readonly isInLobby: boolean;
  /** Muted by themselves or by someone else. */
  readonly isMuted: boolean;
  /** Muted by the service for everyone; then no audio comes. */
  readonly isServerMuted: boolean;
  /** Media stream source ids (MSI) as decimal text, by medium. */
  readonly sourceIds: { readonly audio: readonly string[] };
  /** Number of the roster in which this participant last changed; absent when not told. */
  readonly rosterSequence?: number;
}
