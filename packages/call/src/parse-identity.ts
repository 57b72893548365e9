import { z } from 'zod';
import type { ParticipantIdentity } from './call-notification.js';
import { defined, numericId, objectOf, text } from './lenient.js';
import type { ParticipantKind } from './participant.js';
import { PARTICIPANT_KINDS } from './participant.js';

const facetSchema = z.object({ id: numericId, displayName: text, tenantId: text });

/**
 * Who a participant is, from its identity set. Guests, phones and others do not stand under
 * `user`: each facet is tried in turn, then any other that has an id or a name.
 */
export function parseIdentity(value: unknown): ParticipantIdentity | undefined {
  const facets = objectOf(value);
  if (facets === undefined) return undefined;
  for (const kind of PARTICIPANT_KINDS) {
    if (Object.hasOwn(facets, kind) && objectOf(facets[kind]) !== undefined) {
      return ofFacet(kind, facets[kind]);
    }
  }
  for (const facet of Object.values(facets)) {
    const identity = ofFacet('unknown', facet);
    if (identity?.id !== undefined || identity?.displayName !== undefined) return identity;
  }
  return undefined;
}

function ofFacet(kind: ParticipantKind, facet: unknown): ParticipantIdentity | undefined {
  const parsed = facetSchema.safeParse(facet);
  return parsed.success ? { kind, ...defined(parsed.data) } : undefined;
}
