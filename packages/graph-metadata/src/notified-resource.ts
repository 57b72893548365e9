import type { JsonObject } from './json.js';
import { own } from './json.js';

/** Types that the data of a notification may be of. */
const RESOURCES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\/calls\/[^/]+$/i, ['call', 'participantJoiningNotification', 'participantLeftNotification']],
  [/\/participants$/i, ['participant', 'deltaParticipants']],
  [/\/participants\/[^/]+$/i, ['participant']],
  [/\/operations\/[^/]+$/i, ['commsOperation']],
  [/\/contentsharingsessions(?:\/[^/]+)?$/i, ['contentSharingSession']],
];

/**
 * The types that a notification's `resourceData` may be of, by its address; the first when it
 * does not say. Undefined for an address that is not known.
 */
export function notifiedTypes(notification: JsonObject): readonly string[] | undefined {
  const address = own(notification, 'resourceUrl') ?? own(notification, 'resource');
  if (typeof address !== 'string') return undefined;
  // Key segments, as in `calls('a')`, are the same as path segments.
  const [plain = ''] = address.replace(/\('([^']*)'\)/g, '/$1').split(/[?#]/, 1);
  const path = plain.replace(/\/$/, '');
  return RESOURCES.find(([pattern]) => pattern.test(path))?.[1];
}
