import type { CallState } from './call-state.js';
import { isSameGuid } from './guid.js';
import type { Participant } from './participant.js';
import type { ResultInfo } from './result-info.js';
import type { RosterNumbers } from './roster-numbers.js';

/** How far an operation is (Graph: `operationStatus`). */
export type OperationStatus = 'notStarted' | 'running' | 'completed' | 'failed';

/** An operation on a call, such as a mute or an invitation (Graph: `commsOperation`). */
export interface Operation {
  readonly id: string;
  /** Name of the type without its namespace, such as `muteParticipantOperation`. */
  readonly type?: string;
  readonly status: OperationStatus;
  /** What the asker gave, echoed. */
  readonly clientContext?: string;
  readonly result?: ResultInfo;
}

/** The chat of a meeting; known for joins by meeting id only once Graph answered. */
export interface ChatInfo {
  readonly threadId: string;
  readonly messageId?: string;
}

/**
 * All that is known of one call from what Graph told. Plain JSON: may be stored and read back.
 * Never changed in place.
 */
export interface CallModel {
  readonly state: CallState;
  /** Graph's id of the call, in the form first received. */
  readonly graphCallId?: string;
  /** The bot's own entry in the roster. */
  readonly myParticipantId?: string;
  /** Shared by all legs of one meeting; the id to give to support. */
  readonly callChainId?: string;
  readonly tenantId?: string;
  readonly subject?: string;
  readonly chatInfo?: ChatInfo;
  /** Whether Graph says that audio flows; `inactive` in a lobby or on hold; of a live call only. */
  readonly mediaState?: 'active' | 'inactive';
  /** The roster, by normalised participant id. */
  readonly participants: Readonly<Record<string, Participant>>;
  /** Highest number of a roster seen; undefined while none carried one. */
  readonly rosterSequence?: number | undefined;
  /** Something of the roster was missed, or may have come too late: the list must be read again. */
  readonly rosterIncomplete?: boolean;
  /** The last roster that counted may be an older one than those before it. */
  readonly rosterDoubtful?: boolean;
  /** Which deltas of the roster were seen; undefined while none with a number was. */
  readonly rosterNumbers?: RosterNumbers;
  /** Newest participants that left, with the roster number at which they did; bounded. */
  readonly departed?: Readonly<Record<string, number>>;
  /** Newest sequence ids of tones seen, ascending; bounded; of a live call only. */
  readonly toneSequences?: readonly number[];
  /** Newest operations by id; bounded. */
  readonly operations?: Readonly<Record<string, Operation>>;
  /** Why the call ended. */
  readonly result?: ResultInfo;
}

/** A call that has just been asked for. */
export const initialCallModel: CallModel = { state: 'establishing', participants: {} };

/** The bot's own entry in the roster, which tells whether it waits in the lobby. */
export function selfOf(model: CallModel): Participant | undefined {
  const { myParticipantId } = model;
  if (myParticipantId === undefined) return undefined;
  return Object.values(model.participants).find(({ id }) => isSameGuid(id, myParticipantId));
}
