import { randomUUID } from 'node:crypto';
import type { ResultInfo } from '@earshot/call';
import type { Meeting, MeetingParticipant } from '../meetings/meeting.js';
import type { CalleeBehaviour } from '../scenario/scenario.js';
import { RESULTS } from './call-results.js';
import type { Callee } from './call-target.js';

/** How long it rings before somebody answers. */
const RING_MS = 500;
const TALK_MS = 10 * 60_000;
/** Sources of those who come beside a meeting's script. */
const FIRST_SOURCE_ID = 5_001;

/** How a call to people goes on: they answer, or the call ends. */
export interface CalleeAnswer {
  readonly afterMs: number;
  /** Undefined where they answer. */
  readonly refusal: ResultInfo | undefined;
}

const REFUSALS: Readonly<Record<CalleeBehaviour['answer'], ResultInfo | undefined>> = {
  accept: undefined,
  decline: RESULTS.declined,
  busy: RESULTS.busy,
  noAnswer: RESULTS.noAnswer,
  offline: RESULTS.offline,
};

/** What the callees do; they answer unless a scenario says otherwise. */
export function calleeAnswer(behaviour: CalleeBehaviour | undefined): CalleeAnswer {
  const { answer = 'accept', afterMs = RING_MS } = behaviour ?? {};
  return { afterMs, refusal: REFUSALS[answer] };
}

/** A conversation of those who were called up: a meeting without audio, a URL or a script. */
export function meetingOfCallees(
  callees: readonly Callee[],
  tenantId: string,
  behaviour: CalleeBehaviour | undefined,
): Meeting {
  const durationMs = behaviour?.hangUpAfterMs ?? TALK_MS;
  return {
    name: '',
    durationMs,
    phrases: [],
    tenantId,
    organizerId: '',
    threadId: '',
    joinMeetingId: '',
    passcode: '',
    joinToken: '',
    joinUrl: '',
    shortJoinUrl: '',
    participants: callees.map((callee, index) =>
      silentParticipant({
        key: `callee-${index + 1}`,
        displayName: callee.displayName ?? 'Callee',
        kind: callee.kind,
        identityId: callee.id,
        number: index,
        leaveAtMs: durationMs,
      }),
    ),
    lobby: undefined,
    setupFailure: undefined,
    endResult: undefined,
  };
}

/** Somebody without audio; `number` makes the source. */
export function silentParticipant(options: {
  readonly key: string;
  readonly displayName: string;
  readonly kind: MeetingParticipant['kind'];
  readonly identityId?: string;
  readonly number: number;
  readonly leaveAtMs?: number;
}): MeetingParticipant {
  const { key, displayName, kind, identityId = randomUUID(), number } = options;
  return {
    key,
    displayName,
    kind,
    identityId,
    sourceId: String(FIRST_SOURCE_ID + number),
    joinAtMs: 0,
    leaveAtMs: options.leaveAtMs ?? Number.POSITIVE_INFINITY,
    muted: [],
    packets: [],
    missing: new Set(),
  };
}
