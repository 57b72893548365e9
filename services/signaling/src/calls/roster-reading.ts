import { selfOf } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import type { ServiceState } from './service-state.js';
import { serviceState, withService } from './service-state.js';
import type { RosterReading } from './stay-state.js';

// Pure: when what callbacks told of the roster is not enough, and Graph has to be asked for it.

/** What is missing may be on its way. */
export const ROSTER_GRACE_MS = 3_000;
const FIRST_PAUSE_MS = 15_000;
const LONGEST_PAUSE_MS = 300_000;
/** A bot that is not in the roster after so many tries will not be. */
const MAX_READS_FOR_SELF = 5;

/** Takes note that the roster has to be read, or no longer. */
export function noteRosterNeed(record: CallRecord, atMs: number): CallRecord {
  const { roster } = serviceState(record);
  const isNeeded = isToRead(record);
  if (isNeeded === (roster !== undefined)) return record;
  return withService(record, { roster: isNeeded ? { wantedAtMs: atMs, reads: 0 } : undefined });
}

/** When the roster is to be read (Unix ms); undefined when what is known will do. */
export function rosterReadAtMs(record: CallRecord, state: ServiceState): number | undefined {
  const { roster, graph } = state;
  if (roster === undefined || graph !== 'present') return undefined;
  if (record.model.rosterIncomplete === true) return nextReadMs(roster);
  return roster.reads < MAX_READS_FOR_SELF ? nextReadMs(roster) : undefined;
}

/** The roster was read, whatever came of it. */
export function noteRosterRead(record: CallRecord, atMs: number): CallRecord {
  const { roster } = serviceState(record);
  if (roster === undefined) return record;
  return withService(record, { roster: { ...roster, reads: roster.reads + 1, readAtMs: atMs } });
}

/** Deltas are missing, or the first roster lacks the bot itself, and so perhaps others. */
function isToRead({ model }: CallRecord): boolean {
  if (model.rosterIncomplete === true) return true;
  const hasRoster = Object.keys(model.participants).length > 0;
  return hasRoster && model.myParticipantId !== undefined && selfOf(model) === undefined;
}

function nextReadMs({ wantedAtMs, reads, readAtMs }: RosterReading): number {
  if (readAtMs === undefined) return wantedAtMs + ROSTER_GRACE_MS;
  return readAtMs + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (reads - 1));
}
