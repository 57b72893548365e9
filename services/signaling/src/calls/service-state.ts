import { CodedError } from '@earshot/async';
import type { EarshotEvent } from '@earshot/events';
import { eventSchema } from '@earshot/events';
import type { CallRecord } from '@earshot/registry';
import { z } from 'zod';
import type { IncomingState } from '../incoming/incoming-state.js';
import { incomingStateSchema } from '../incoming/incoming-state.js';
import type { CallOperation } from '../operations/operation-state.js';
import { operationsSchema } from '../operations/operation-state.js';
import type { RecordingState } from '../recording/recording-state.js';
import { recordingStateSchema } from '../recording/recording-state.js';
import type { CallAttempt } from './call-attempt.js';
import { callAttemptSchema } from './call-attempt.js';
import type { CallEnd } from './call-end.js';
import { callEndSchema } from './call-end.js';
import type { LeftParticipant } from './left-participants.js';
import { leftSchema } from './left-participants.js';
import type { LegState } from './leg-state.js';
import { legStateSchema } from './leg-state.js';
import type { FailedWorker, MediaMove } from './media-move.js';
import { failedWorkerSchema, mediaMoveSchema } from './media-move.js';
import type { AutoLeaveState, LobbyState, RosterReading } from './stay-state.js';
import { autoLeaveSchema, lobbySchema, rosterReadingSchema } from './stay-state.js';
import type { GraphLeg, StoredProblem } from './stored-problem.js';
import { GRAPH_LEGS, problemSchema } from './stored-problem.js';

export type { GraphLeg, StoredProblem } from './stored-problem.js';

/**
 * This service's own part of a call's record, plain JSON. All times are Unix milliseconds: they
 * outlive the process and move between pods.
 */
export interface ServiceState {
  /** Host name of the join URL, empty for a call that came in; the rest of it may hold a passcode. */
  readonly joinUrlHost: string;
  readonly graph: GraphLeg;
  readonly graphDeletedAtMs?: number | undefined;
  /** True while a media host holds a blob or a session for this call. */
  readonly hostHeld: boolean;
  /** When Graph was last told, by create or keepAlive, that this call matters. */
  readonly keptAliveAtMs?: number | undefined;
  readonly establishedAtMs?: number | undefined;
  /** When the host confirmed that the audio goes to `workerId`. */
  readonly attachedAtMs?: number | undefined;
  /** The audio has to go to another worker. */
  readonly move?: MediaMove | undefined;
  /** How often the audio has gone from one worker to the next. */
  readonly moves?: number | undefined;
  /** Workers that could not take or keep the call, oldest first. */
  readonly failedWorkers?: readonly FailedWorker[] | undefined;
  /** When the media host first said that its session is over: as a rule Teams says so of the call soon. */
  readonly sessionOverAtMs?: number | undefined;
  readonly lobby?: LobbyState | undefined;
  /** When the bot leaves by itself; absent: never. */
  readonly autoLeave?: AutoLeaveState | undefined;
  /** The roster has to be read. */
  readonly roster?: RosterReading | undefined;
  readonly hangUpAtMs?: number | undefined;
  readonly leg?: LegState | undefined;
  readonly end?: CallEnd | undefined;
  /** How often the call was tried; absent when it can be tried only once. */
  readonly attempt?: CallAttempt | undefined;
  /** The call's place among those that the app may have at once; absent when it has none. */
  readonly place?: 'held' | 'free' | undefined;
  /** What was asked of Teams through the API, oldest first. */
  readonly operations?: readonly CallOperation[] | undefined;
  /** Who left recently, oldest first. */
  readonly left?: readonly LeftParticipant[] | undefined;
  /** The answer to the request that made the call, when it failed: repeated by its key. */
  readonly problem?: StoredProblem | undefined;
  /** W3C Trace Context of the request that made the call. */
  readonly traceparent?: string | undefined;
  /** Only of a call that came in. */
  readonly incoming?: IncomingState | undefined;
  /** Whether the call may be recorded; absent while nobody touched that. */
  readonly recording?: RecordingState | undefined;
  /** Events saved with the change that caused them and not yet known to be in the queue. */
  readonly pendingEvents: readonly EarshotEvent[];
}

const serviceStateSchema: z.ZodType<ServiceState> = z.object({
  joinUrlHost: z.string(),
  graph: z.enum(GRAPH_LEGS),
  graphDeletedAtMs: z.number().optional(),
  hostHeld: z.boolean(),
  keptAliveAtMs: z.number().optional(),
  establishedAtMs: z.number().optional(),
  attachedAtMs: z.number().optional(),
  move: mediaMoveSchema.optional(),
  moves: z.number().optional(),
  failedWorkers: z.array(failedWorkerSchema).optional(),
  sessionOverAtMs: z.number().optional(),
  lobby: lobbySchema.optional(),
  autoLeave: autoLeaveSchema.optional(),
  roster: rosterReadingSchema.optional(),
  hangUpAtMs: z.number().optional(),
  leg: legStateSchema.optional(),
  end: callEndSchema.optional(),
  attempt: callAttemptSchema.optional(),
  place: z.enum(['held', 'free']).optional(),
  operations: operationsSchema.optional(),
  left: leftSchema.optional(),
  problem: problemSchema.optional(),
  traceparent: z.string().optional(),
  incoming: incomingStateSchema.optional(),
  recording: recordingStateSchema.optional(),
  pendingEvents: z.array(eventSchema),
});

/** States by the stored object they were read from: a large roster takes thousands of looks. */
const known = new WeakMap<object, ServiceState>();

/** @throws CodedError `corrupt_call_record` when another program wrote the record. */
export function serviceState(record: CallRecord): ServiceState {
  const stored = isObject(record.service) ? record.service : {};
  const state = known.get(stored);
  if (state !== undefined) return state;
  const parsed = serviceStateSchema.safeParse(record.service);
  if (parsed.success) {
    known.set(stored, parsed.data);
    return parsed.data;
  }
  throw new CodedError(
    'corrupt_call_record',
    `Cannot read call ${record.callId}: its record must hold signaling's state, got ${parsed.error.issues[0]?.message}`,
  );
}

/** The record with parts of its service state replaced. */
export function withService(record: CallRecord, patch: Partial<ServiceState>): CallRecord {
  const state: ServiceState = { ...serviceState(record), ...patch };
  known.set(state, state);
  return { ...record, service: state };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
