import type { Party } from '@earshot/graph';
import type { Registry } from '@earshot/registry';
import { callOf } from './call-of.js';
import type { PartyBody } from './participant-schemas.js';

/** Someone as Graph is told of them. */
export function partyOf({ kind, id, displayName, tenantId }: PartyBody): Party {
  if (kind === 'phone') return { kind, id };
  return {
    kind,
    id,
    ...(displayName === undefined ? {} : { displayName }),
    ...(tenantId === undefined ? {} : { tenantId }),
  };
}

/** Graph's id of another call of ours. @throws Problem 404 `call_not_found`. */
export async function graphCallIdOf(
  registry: Registry,
  callId: string | undefined,
): Promise<{ readonly replacesCallId?: string }> {
  if (callId === undefined) return {};
  const { graphCallId } = (await callOf(registry, callId)).model;
  return graphCallId === undefined ? {} : { replacesCallId: graphCallId };
}
