import type { ParticipantData } from './call-notification.js';
import type { Participant } from './participant.js';

/**
 * A participant as an entry of a roster makes it; what the entry leaves out stays as it was.
 *
 * @param number of the roster, for an entry without one.
 */
export function participantOf(
  known: Participant | undefined,
  entry: ParticipantData,
  number: number | undefined,
): Participant {
  const { identity } = entry;
  const isOther = identity !== undefined && identity.kind !== known?.kind;
  const named = isOther ? undefined : known;
  const displayName = identity?.displayName ?? named?.displayName;
  const identityId = identity?.id ?? named?.identityId;
  const tenantId = identity?.tenantId ?? named?.tenantId;
  const rosterSequence = entry.rosterSequence ?? number ?? known?.rosterSequence;
  return {
    id: known?.id ?? entry.id,
    kind: identity?.kind ?? known?.kind ?? 'unknown',
    ...(displayName === undefined ? {} : { displayName }),
    ...(identityId === undefined ? {} : { identityId }),
    ...(tenantId === undefined ? {} : { tenantId }),
    ...(rosterSequence === undefined ? {} : { rosterSequence }),
    isInLobby: entry.isInLobby ?? known?.isInLobby ?? false,
    isMuted: entry.isMuted ?? known?.isMuted ?? false,
    isServerMuted: entry.isServerMuted ?? known?.isServerMuted ?? false,
    sourceIds: { audio: entry.audioSourceIds ?? known?.sourceIds.audio ?? [] },
  };
}

/** Whether nobody would notice a difference: the roster number alone is none. */
export function isSameParticipant(a: Participant, b: Participant): boolean {
  return (
    a.kind === b.kind &&
    a.displayName === b.displayName &&
    a.identityId === b.identityId &&
    a.tenantId === b.tenantId &&
    a.isInLobby === b.isInLobby &&
    a.isMuted === b.isMuted &&
    a.isServerMuted === b.isServerMuted &&
    isSameList(a.sourceIds.audio, b.sourceIds.audio)
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}
