import type { CallChange } from './call-change.js';
import type { CallModel } from './call-model.js';
import type { CallNotification, ParticipantData } from './call-notification.js';
import { normalisedId } from './guid.js';
import type { Participant } from './participant.js';
import { isSameParticipant, participantOf } from './participant-merge.js';
import type { Reduction } from './reduce-call.js';
import type { RosterNumbers } from './roster-numbers.js';
import { hasHole, isKnownNumber, NO_NUMBERS, withFloor, withNumber } from './roster-numbers.js';

type Snapshot = Extract<CallNotification, { kind: 'roster' }>;
type Delta = Extract<CallNotification, { kind: 'rosterDelta' }>;

/** A roster by normalised id, and what has to be known of those who are not in it. */
interface Fold {
  readonly before: ReadonlyMap<string, Participant>;
  readonly after: Map<string, Participant>;
  /** Of those who were removed by an entry. */
  readonly reasons: Map<string, string | undefined>;
  /** Number at which somebody left or was told to have left. */
  readonly departedAt: Map<string, number>;
}

/** An entry of a roster and its normalised id. */
type Keyed = readonly [key: string, entry: ParticipantData];

/** Those who left are remembered only to recognise a stale roster that still has them. */
const DEPARTED_REMEMBERED = 256;

/**
 * The whole roster: who is not in it has left. A stale one changes nothing; one that may be older
 * than those before it counts, but is doubtful.
 *
 * Where its place among deltas is known (it was asked for, or deltas came before), it is merged
 * instead: each entry counts unless a newer one of the same participant is known, and whoever came
 * after the roster was made stays.
 */
export function reduceSnapshot(model: CallModel, snapshot: Snapshot): Reduction {
  const { participants, asOf } = snapshot;
  const { rosterNumbers: numbers } = model;
  const position = asOf ?? (numbers === undefined ? undefined : highestOf(participants));
  const fold = foldOf(model);
  const entries = participants.map((entry) => [normalisedId(entry.id), entry] as const);
  if (position === undefined && isStale(model, fold, entries)) return { model, changes: [] };
  for (const [key, entry] of entries) {
    if (entry.isRemoved) remove(fold, key, entry, undefined);
    else if (position !== undefined && wentBack(model, fold, key, entry.rosterSequence, asOf)) {
      keep(fold, key);
    } else fold.after.set(key, participantOf(fold.before.get(key), entry, undefined));
  }
  if (position !== undefined) keepNewer(fold, position);
  const known =
    position === undefined || numbers === undefined ? numbers : withFloor(numbers, position);
  const isDoubtful = position === undefined && isUncertain(model, fold, entries);
  return settle(
    { ...model, rosterDoubtful: isDoubtful },
    fold,
    highest(model, participants),
    known,
  );
}

/**
 * What changed since the roster before. Deltas may come in any order: an entry counts unless a
 * newer one of the same participant is known, by its own number or else its delta's. Entries are
 * whole participants, as Graph's are.
 */
export function reduceDelta(model: CallModel, { sequenceNumber, participants }: Delta): Reduction {
  const numbers = model.rosterNumbers ?? firstNumbers(model, sequenceNumber);
  if (sequenceNumber !== undefined && numbers !== undefined) {
    if (isKnownNumber(numbers, sequenceNumber)) return { model, changes: [] };
  }
  const fold = foldOf(model);
  for (const [key, participant] of fold.before) fold.after.set(key, participant);
  for (const entry of participants) {
    const key = normalisedId(entry.id);
    const number = entry.rosterSequence ?? sequenceNumber;
    if (wentBack(model, fold, key, number)) continue;
    if (entry.isRemoved) remove(fold, key, entry, number);
    else fold.after.set(key, participantOf(fold.before.get(key), entry, number));
  }
  const seen =
    sequenceNumber === undefined || numbers === undefined
      ? numbers
      : withNumber(numbers, sequenceNumber);
  return settle(model, fold, highest(model, participants, sequenceNumber), seen);
}

/** The first delta with a number follows the rosters before it, if there were any with numbers. */
function firstNumbers(
  { rosterSequence }: CallModel,
  sequenceNumber: number | undefined,
): RosterNumbers | undefined {
  if (sequenceNumber === undefined) return undefined;
  return rosterSequence === undefined ? NO_NUMBERS : withFloor(NO_NUMBERS, rosterSequence);
}

function foldOf({ participants }: CallModel): Fold {
  const before = new Map(Object.entries(participants));
  return { before, after: new Map(), reasons: new Map(), departedAt: new Map() };
}

function remove(fold: Fold, key: string, entry: ParticipantData, number: number | undefined): void {
  fold.after.delete(key);
  fold.reasons.set(key, entry.removedReason);
  const known = fold.before.get(key)?.rosterSequence;
  const at = number ?? entry.rosterSequence ?? known;
  if (at !== undefined) fold.departedAt.set(key, Math.max(at, known ?? at));
}

function keep(fold: Fold, key: string): void {
  const known = fold.before.get(key);
  if (known !== undefined) fold.after.set(key, known);
}

function keepNewer({ before, after, reasons }: Fold, position: number): void {
  for (const [key, participant] of before) {
    if (after.has(key) || reasons.has(key)) continue;
    if ((participant.rosterSequence ?? position) > position) after.set(key, participant);
  }
}

/**
 * An entry's number is that of the roster in which the participant last changed, so the highest
 * falls when the one who has it leaves. A roster is therefore stale only when an entry went back:
 * an older number than is known of the same participant, or one of someone known to have left.
 */
function isStale(model: CallModel, fold: Fold, entries: readonly Keyed[]): boolean {
  // The bot itself is in every roster, so an empty one tells nothing.
  if (entries.length === 0) return model.rosterSequence !== undefined;
  return entries.some(([key, { rosterSequence }]) => wentBack(model, fold, key, rosterSequence));
}

/** @param asOf who left up to there may be back in a roster that was asked for since. */
function wentBack(
  { departed }: CallModel,
  { before }: Fold,
  key: string,
  number: number | undefined,
  asOf = Number.NEGATIVE_INFINITY,
): boolean {
  if (number === undefined) return false;
  const known = before.get(key)?.rosterSequence;
  if (known !== undefined && number < known) return true;
  const leftAt = departed !== undefined && Object.hasOwn(departed, key) ? departed[key] : undefined;
  return leftAt !== undefined && leftAt > asOf && number <= leftAt;
}

/**
 * Whether a roster that is not known to be stale may be an older one all the same: its numbers are
 * lower, for whoever had the highest left, or had not come yet; or somebody is new in it with a
 * number that others had passed. Only a number not seen before ends a doubt.
 */
function isUncertain(
  { rosterSequence: last, rosterDoubtful }: CallModel,
  { before }: Fold,
  entries: readonly Keyed[],
): boolean {
  const now = highestOf(entries.map(([, entry]) => entry));
  if (last === undefined || now === undefined || now > last) return false;
  if (rosterDoubtful === true) return true;
  for (const { rosterSequence = now } of before.values()) if (rosterSequence > now) return true;
  return entries.some(
    ([key, { rosterSequence = last + 1, isRemoved }]) =>
      !isRemoved && rosterSequence <= last && !before.has(key),
  );
}

function settle(
  model: CallModel,
  fold: Fold,
  rosterSequence: number | undefined,
  numbers: RosterNumbers | undefined,
): Reduction {
  const { rosterIncomplete: _, rosterDoubtful, ...rest } = model;
  const isIncomplete = rosterDoubtful === true || (numbers !== undefined && hasHole(numbers));
  return {
    model: {
      ...rest,
      ...departures(model, fold),
      participants: Object.fromEntries(fold.after),
      ...(rosterSequence === undefined ? {} : { rosterSequence }),
      ...(numbers === undefined ? {} : { rosterNumbers: numbers }),
      ...(rosterDoubtful === true ? { rosterDoubtful } : {}),
      ...(isIncomplete ? { rosterIncomplete: true } : {}),
    },
    changes: changesOf(fold),
  };
}

function changesOf({ before, after, reasons }: Fold): CallChange[] {
  const changes: CallChange[] = [];
  for (const [key, participant] of after) {
    const known = before.get(key);
    if (known === undefined) changes.push({ kind: 'participantJoined', participant });
    else if (!isSameParticipant(known, participant)) {
      changes.push({ kind: 'participantUpdated', participant });
    }
  }
  for (const [key, participant] of before) {
    if (after.has(key)) continue;
    const reason = reasons.get(key);
    changes.push({
      kind: 'participantLeft',
      participant,
      ...(reason === undefined ? {} : { reason }),
    });
  }
  return changes;
}

/** The newest of those who left, and when; those who were never seen are among them. */
function departures(
  model: CallModel,
  { before, after, departedAt }: Fold,
): Pick<CallModel, 'departed'> {
  for (const [key, { rosterSequence }] of before) {
    if (after.has(key) || departedAt.has(key) || rosterSequence === undefined) continue;
    departedAt.set(key, rosterSequence);
  }
  const departed = new Map(Object.entries(model.departed ?? {}));
  for (const key of departed.keys()) if (after.has(key)) departed.delete(key);
  for (const [key, number] of departedAt) {
    const earlier = departed.get(key) ?? number;
    departed.delete(key);
    departed.set(key, Math.max(earlier, number));
  }
  if (departed.size === 0 && model.departed === undefined) return {};
  return { departed: Object.fromEntries([...departed].slice(-DEPARTED_REMEMBERED)) };
}

function highestOf(entries: readonly ParticipantData[]): number | undefined {
  return highest({ rosterSequence: undefined }, entries);
}

function highest(
  { rosterSequence }: Pick<CallModel, 'rosterSequence'>,
  entries: readonly ParticipantData[],
  sequenceNumber?: number,
): number | undefined {
  let sequence = rosterSequence;
  if (sequenceNumber !== undefined) sequence = Math.max(sequence ?? sequenceNumber, sequenceNumber);
  for (const { rosterSequence: number } of entries) {
    if (number !== undefined) sequence = Math.max(sequence ?? number, number);
  }
  return sequence;
}
