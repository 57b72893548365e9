import type { CallChange } from './call-change.js';
import type { CallModel } from './call-model.js';
import type { CallNotification, ParticipantData } from './call-notification.js';
import { normalisedId } from './guid.js';
import { defined } from './lenient.js';
import { withNewest } from './newest.js';
import type { Participant } from './participant.js';
import type { Reduction } from './reduce-call.js';

type Roster = ReadonlyMap<string, Participant>;
type Delta = Extract<CallNotification, { kind: 'rosterDelta' }>;

/** Those who left are remembered only to recognise a stale roster that still has them. */
const DEPARTED_REMEMBERED = 256;

/** The whole roster: who is not in it has left. A stale one changes nothing. */
export function reduceSnapshot(model: CallModel, entries: readonly ParticipantData[]): Reduction {
  const before = rosterOf(model);
  if (isStale(model, before, entries)) return { model, changes: [] };
  const after = new Map<string, Participant>();
  for (const entry of entries) {
    const key = normalisedId(entry.id);
    if (!entry.isRemoved) after.set(key, participantOf(before.get(key), entry));
  }
  const { rosterIncomplete: _, ...complete } = model;
  return settle(complete, before, after, highest(model, entries));
}

/** What changed since the roster before; of entries that are gone, only the id counts. */
export function reduceDelta(model: CallModel, delta: Delta): Reduction {
  const { sequenceNumber, participants } = delta;
  const last = model.rosterSequence;
  const isOld = sequenceNumber !== undefined && last !== undefined && sequenceNumber <= last;
  if (isOld) return { model, changes: [] };
  const before = rosterOf(model);
  const after = new Map(before);
  for (const entry of participants) {
    const key = normalisedId(entry.id);
    if (entry.isRemoved) after.delete(key);
    else if (!wentBack(model, before, entry)) {
      after.set(key, participantOf(before.get(key), entry));
    }
  }
  const isMissing = sequenceNumber !== undefined && last !== undefined && sequenceNumber > last + 1;
  const sequence = sequenceNumber ?? highest(model, participants);
  return settle(isMissing ? { ...model, rosterIncomplete: true } : model, before, after, sequence);
}

/**
 * An entry's number is that of the roster in which the participant last changed, so the highest
 * falls when the one who has it leaves. A roster is therefore stale only when an entry went back:
 * an older number than is known of the same participant, or one of someone known to have left.
 */
function isStale(model: CallModel, before: Roster, entries: readonly ParticipantData[]): boolean {
  // The bot itself is in every roster, so an empty one tells nothing.
  if (entries.length === 0) return model.rosterSequence !== undefined;
  return entries.some((entry) => wentBack(model, before, entry));
}

function wentBack({ departed = {} }: CallModel, before: Roster, entry: ParticipantData): boolean {
  const { id, rosterSequence } = entry;
  if (rosterSequence === undefined) return false;
  const key = normalisedId(id);
  const known = before.get(key)?.rosterSequence;
  const leftAt = Object.hasOwn(departed, key) ? departed[key] : undefined;
  return (
    (known !== undefined && rosterSequence < known) ||
    (leftAt !== undefined && rosterSequence <= leftAt)
  );
}

function settle(
  model: Omit<CallModel, 'rosterIncomplete'>,
  before: Roster,
  after: Roster,
  rosterSequence: number | undefined,
): Reduction {
  const changes: CallChange[] = [];
  for (const [key, participant] of after) {
    const known = before.get(key);
    if (known === undefined) changes.push({ kind: 'participantJoined', participant });
    else if (differ(known, participant)) changes.push({ kind: 'participantUpdated', participant });
  }
  const left = [...before].filter(([key]) => !after.has(key));
  for (const [, participant] of left) changes.push({ kind: 'participantLeft', participant });
  return {
    model: {
      ...model,
      ...departures(model, left),
      participants: Object.fromEntries(after),
      ...(rosterSequence === undefined ? {} : { rosterSequence }),
    },
    changes,
  };
}

/** Nothing is remembered of those who leave a call that is over: no roster can follow. */
function departures(
  model: CallModel,
  left: readonly (readonly [string, Participant])[],
): Pick<CallModel, 'departed'> {
  if (model.state === 'terminated') return {};
  let departed = model.departed;
  for (const [key, { rosterSequence }] of left) {
    if (rosterSequence === undefined) continue;
    departed = withNewest(departed ?? {}, key, rosterSequence, DEPARTED_REMEMBERED);
  }
  return defined({ departed });
}

function participantOf(known: Participant | undefined, entry: ParticipantData): Participant {
  const { identity } = entry;
  const isOther = identity !== undefined && identity.kind !== known?.kind;
  const named = isOther ? undefined : known;
  return {
    id: known?.id ?? entry.id,
    kind: identity?.kind ?? known?.kind ?? 'unknown',
    ...defined({
      displayName: identity?.displayName ?? named?.displayName,
      identityId: identity?.id ?? named?.identityId,
      tenantId: identity?.tenantId ?? named?.tenantId,
      rosterSequence: entry.rosterSequence ?? known?.rosterSequence,
    }),
    isInLobby: entry.isInLobby ?? known?.isInLobby ?? false,
    isMuted: entry.isMuted ?? known?.isMuted ?? false,
    isServerMuted: entry.isServerMuted ?? known?.isServerMuted ?? false,
    sourceIds: { audio: entry.audioSourceIds ?? known?.sourceIds.audio ?? [] },
  };
}

/** The roster number alone is no change that anyone would notice. */
function differ(a: Participant, b: Participant): boolean {
  return (
    a.kind !== b.kind ||
    a.displayName !== b.displayName ||
    a.identityId !== b.identityId ||
    a.tenantId !== b.tenantId ||
    a.isInLobby !== b.isInLobby ||
    a.isMuted !== b.isMuted ||
    a.isServerMuted !== b.isServerMuted ||
    a.sourceIds.audio.join() !== b.sourceIds.audio.join()
  );
}

function highest(
  { rosterSequence }: CallModel,
  entries: readonly ParticipantData[],
): number | undefined {
  let sequence = rosterSequence;
  for (const entry of entries) {
    if (entry.rosterSequence === undefined) continue;
    sequence = Math.max(sequence ?? entry.rosterSequence, entry.rosterSequence);
  }
  return sequence;
}

function rosterOf(model: CallModel): Roster {
  return new Map(Object.entries(model.participants));
}
