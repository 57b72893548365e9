import type { ParticipantIdentity } from './call-notification.js';
import { numericIdOf, objectOf, textOf } from './lenient.js';
import type { ParticipantKind } from './participant.js';
import { PARTICIPANT_KINDS } from './participant.js';

/**
 * Who a participant is, from its identity set. Guests, phones and others do not stand under
 * `user`: each facet is tried in turn, then any other that has an id or a name. Those who joined
 * without an account are guests; a Teams Room is the user of its account, several people perhaps.
 */
export function parseIdentity(value: unknown): ParticipantIdentity | undefined {
  const facets = objectOf(value);
  if (facets === undefined) return undefined;
  let nameless: ParticipantIdentity | undefined;
  for (const kind of PARTICIPANT_KINDS) {
    if (!Object.hasOwn(facets, kind)) continue;
    const identity = ofFacet(kind, facets[kind]);
    if (isNamed(identity)) return identity;
    nameless ??= identity;
  }
  for (const facet of Object.values(facets)) {
    const identity = ofFacet('unknown', facet);
    if (isNamed(identity)) return identity;
  }
  return nameless;
}

function isNamed(identity: ParticipantIdentity | undefined): boolean {
  return identity?.id !== undefined || identity?.displayName !== undefined;
}

function ofFacet(kind: ParticipantKind, value: unknown): ParticipantIdentity | undefined {
  const facet = objectOf(value);
  if (facet === undefined) return undefined;
  const id = numericIdOf(facet['id']);
  const displayName = textOf(facet['displayName']);
  const tenantId = textOf(facet['tenantId']);
  return {
    kind,
    ...(id === undefined ? {} : { id }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(tenantId === undefined ? {} : { tenantId }),
  };
}
