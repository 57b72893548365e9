import { z } from 'zod';
import type { CallNotification, ChangeType } from './call-notification.js';
import { defined, integer, objectOf, oneOf, text, textOf } from './lenient.js';
import { parseCallData } from './parse-call-data.js';
import { parseOperationData } from './parse-operation.js';
import { parseParticipant } from './parse-participant.js';
import { resourcePathOf } from './resource-path.js';

/** What a body holds; never an exception. */
export type NotificationsResult =
  | { readonly ok: true; readonly items: readonly CallNotification[] }
  | { readonly ok: false; readonly code: 'invalid_notification'; readonly message: string };

const CHANGE_TYPES = ['created', 'updated', 'deleted'] as const satisfies readonly ChangeType[];

const ROSTER = /^\/participants\/?$/i;
const ONE_PARTICIPANT = /^\/participants(?:\/|\(')([^/')]+)(?:'\))?\/?$/i;
const OPERATION = /^\/operations(?:\/|\(')([^/')]+)(?:'\))?\/?$/i;

const itemSchema = z.object({
  changeType: text,
  resource: text,
  resourceUrl: text,
  resourceData: z.unknown().optional(),
});

const deltaSchema = z.object({ sequenceNumber: integer, participants: z.array(z.unknown()) });

/**
 * Reads the body of a callback (`microsoft.graph.commsNotifications`). Lenient: what is not known
 * is ignored, an item of an unknown resource is kept as `other`, so that one strange item does
 * not cost the rest. Refused is only what can't be notifications at all.
 */
export function parseNotifications(body: unknown): NotificationsResult {
  const values = itemsOf(body);
  if (values === undefined) {
    return {
      ok: false,
      code: 'invalid_notification',
      message: `Cannot read notifications: the body must be an object with a "value" array, got ${kindOf(body)}`,
    };
  }
  return { ok: true, items: values.map(parseItem) };
}

/**
 * Whether a body can be notifications at all, as `parseNotifications` would say. Cheap: for who
 * has to answer at once, and reads later.
 */
export function holdsNotifications(body: unknown): boolean {
  return itemsOf(body) !== undefined;
}

function itemsOf(body: unknown): readonly unknown[] | undefined {
  const notifications = objectOf(body);
  if (notifications === undefined) return undefined;
  if (Array.isArray(notifications['value'])) return notifications['value'];
  const isOneItem = 'resourceData' in notifications || 'resourceUrl' in notifications;
  return isOneItem ? [notifications] : undefined;
}

function parseItem(value: unknown): CallNotification {
  const parsed = itemSchema.safeParse(value);
  if (!parsed.success) return { changeType: 'unknown', graphCallId: undefined, kind: 'other' };
  const { resource, resourceUrl, resourceData } = parsed.data;
  const place = resourcePathOf(resource, resourceUrl);
  const shared = {
    changeType: oneOf(CHANGE_TYPES, parsed.data.changeType) ?? 'unknown',
    graphCallId: place?.graphCallId,
  } as const;
  const suffix = (place?.suffix ?? '').replace(/\/$/, '');
  if (place === undefined) return { ...shared, kind: 'other' };
  if (suffix === '') {
    return { ...shared, kind: 'call', call: parseCallData(objectOf(resourceData) ?? {}) };
  }
  if (ROSTER.test(suffix)) return rosterItem(shared, resourceData);
  const participantId = ONE_PARTICIPANT.exec(suffix)?.[1];
  if (participantId !== undefined) return participantItem(shared, participantId, resourceData);
  const operationId = OPERATION.exec(suffix)?.[1];
  if (operationId === undefined) return { ...shared, kind: 'other' };
  return { ...shared, kind: 'operation', operation: parseOperationData(operationId, resourceData) };
}

interface Shared {
  readonly changeType: ChangeType;
  readonly graphCallId: string | undefined;
}

/** An array is the whole roster; an object is what changed (`microsoft.graph.deltaParticipants`). */
function rosterItem(shared: Shared, resourceData: unknown): CallNotification {
  if (Array.isArray(resourceData)) {
    const delta = resourceData.find(isDelta);
    if (delta !== undefined) return rosterItem(shared, delta);
    return { ...shared, kind: 'roster', participants: participantsOf(resourceData) };
  }
  const delta = deltaSchema.safeParse(resourceData);
  if (delta.success) {
    const { sequenceNumber, participants } = delta.data;
    return {
      ...shared,
      kind: 'rosterDelta',
      ...defined({ sequenceNumber }),
      participants: participantsOf(participants),
    };
  }
  return { ...shared, kind: 'rosterDelta', participants: participantsOf([resourceData]) };
}

function participantItem(shared: Shared, id: string, resourceData: unknown): CallNotification {
  const entry = parseParticipant({ ...objectOf(resourceData), id }) ?? { id, isRemoved: false };
  const isRemoved = entry.isRemoved || shared.changeType === 'deleted';
  return { ...shared, kind: 'rosterDelta', participants: [{ ...entry, isRemoved }] };
}

function participantsOf(values: readonly unknown[]) {
  return values.flatMap((value) => parseParticipant(value) ?? []);
}

function isDelta(value: unknown): boolean {
  return /deltaParticipants$/i.test(textOf(objectOf(value)?.['@odata.type']) ?? '');
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object without one' : typeof value;
}
