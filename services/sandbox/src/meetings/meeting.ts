import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { CodedError } from '@earshot/async';
import type { ResultInfo } from '@earshot/call';
import { formatJoinUrl } from '@earshot/call';
import type { Digit } from '@earshot/dtmf';
import type {
  MeetingDefinition,
  OpenSpan,
  ParticipantDefinition,
  ParticipantKind,
} from './meeting-definition.js';

/** Sources get numbers from here on unless the definition names them. */
const FIRST_SOURCE_ID = 201;

/** A stretch of a meeting's clock; the end is not part of it. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** A participant whose audio is at hand. */
export interface MeetingParticipant {
  readonly key: string;
  readonly displayName: string;
  readonly kind: ParticipantKind;
  readonly identityId: string;
  readonly sourceId: string;
  readonly joinAtMs: number;
  /** End of the meeting for those who stay. */
  readonly leaveAtMs: number;
  readonly muted: readonly Span[];
  /** Opus packets of 20 ms; number n starts at `joinAtMs + 20 n`. Shared: never written to. */
  readonly packets: readonly Uint8Array[];
  /** Numbers of the packets that get lost on the way to the media host. */
  readonly missing: ReadonlySet<number>;
  /** Keys that the media host is told of, on the meeting's clock, in order. */
  readonly toneEvents?: readonly { readonly digit: Digit; readonly startMs: number }[];
}

/** A meeting that bots can join. */
export interface Meeting {
  readonly name: string;
  readonly durationMs: number;
  /** Different phrases that are spoken and can be listened for. */
  readonly phrases: readonly string[];
  readonly tenantId: string;
  readonly organizerId: string;
  readonly threadId: string;
  readonly joinMeetingId: string;
  readonly passcode: string;
  /** Lets a bot in by `tokenMeetingInfo`; as secret as the real one. */
  readonly joinToken: string;
  /** Real-form long URL; names tenant and organiser. */
  readonly joinUrl: string;
  /** Real-form short URL; names neither. */
  readonly shortJoinUrl: string;
  readonly participants: readonly MeetingParticipant[];
  readonly lobby: { readonly admitAfterMs: number | undefined } | undefined;
  readonly setupFailure: ResultInfo | undefined;
  readonly endResult: ResultInfo | undefined;
}

/** Gives the packets of a participant's audio. */
export type PacketSource = (participant: ParticipantDefinition) => Promise<readonly Uint8Array[]>;

/**
 * Makes a meeting of its definition, with fresh ids and join URLs.
 *
 * @param tenantId Tenant of meetings whose definition doesn't name one.
 * @throws CodedError `invalid_meeting` when times or frames contradict one another; what
 * `packetsOf` throws.
 */
export async function createMeeting(
  definition: MeetingDefinition,
  tenantId: string,
  packetsOf: PacketSource,
): Promise<Meeting> {
  const participants: MeetingParticipant[] = [];
  for (const [index, participant] of definition.participants.entries()) {
    const packets = await packetsOf(participant);
    participants.push(createParticipant(definition, participant, index, packets));
  }
  requireDifferentSources(definition.name, participants);
  const { lobby, setupFailure, endResult } = definition;
  return {
    name: definition.name,
    durationMs: definition.durationMs,
    phrases: phrasesOf(definition),
    ...createAddress(definition.tenantId ?? tenantId),
    participants,
    lobby: lobby === undefined ? undefined : { admitAfterMs: lobby.admitAfterMs },
    setupFailure,
    endResult,
  };
}

function phrasesOf({ participants }: MeetingDefinition): string[] {
  const phrases = participants.flatMap((participant) => participant.phrases ?? []);
  return [...new Set(phrases.map(({ phrase }) => phrase))];
}

type Address = Pick<
  Meeting,
  | 'tenantId'
  | 'organizerId'
  | 'threadId'
  | 'joinMeetingId'
  | 'passcode'
  | 'joinToken'
  | 'joinUrl'
  | 'shortJoinUrl'
>;

function createAddress(tenantId: string): Address {
  const organizerId = randomUUID();
  const threadId = `19:meeting_${Buffer.from(randomUUID()).toString('base64url')}@thread.v2`;
  const joinMeetingId = `2${randomInt(10 ** 11, 10 ** 12)}`;
  const passcode = randomBytes(12).toString('base64url').replace(/[-_]/g, 'x').slice(0, 8);
  return {
    tenantId,
    organizerId,
    threadId,
    joinMeetingId,
    passcode,
    joinToken: randomBytes(48).toString('base64url'),
    joinUrl: formatJoinUrl({ kind: 'organizer', threadId, messageId: '0', tenantId, organizerId }),
    shortJoinUrl: formatJoinUrl({ kind: 'joinMeetingId', joinMeetingId, passcode }),
  };
}

function createParticipant(
  meeting: MeetingDefinition,
  definition: ParticipantDefinition,
  index: number,
  packets: readonly Uint8Array[],
): MeetingParticipant {
  const leaveAtMs = definition.leaveAtMs ?? meeting.durationMs;
  const { joinAtMs, key } = definition;
  if (joinAtMs >= leaveAtMs || leaveAtMs > meeting.durationMs) {
    throw invalid(
      meeting.name,
      `${key} must join before leaving, within ${meeting.durationMs} ms`,
      `${joinAtMs} and ${leaveAtMs} ms`,
    );
  }
  return {
    key,
    displayName: definition.displayName,
    kind: definition.kind,
    identityId: definition.kind === 'phone' ? phoneNumber(index) : randomUUID(),
    sourceId: definition.sourceId ?? String(FIRST_SOURCE_ID + index),
    joinAtMs,
    leaveAtMs,
    muted: mutedSpans(definition.mutedAtMs),
    packets,
    missing: missingFrames(meeting.name, definition, packets.length),
    ...(definition.toneEvents === true ? { toneEvents: inOrder(definition.digits) } : {}),
  };
}

function inOrder(digits: ParticipantDefinition['digits']): ParticipantDefinition['digits'] {
  return [...digits].sort((one, other) => one.startMs - other.startMs);
}

/** Numbers that no one owns: reserved for fiction (Ofcom, 020 7946 0xxx). */
function phoneNumber(index: number): string {
  return `+44207946${String(index).padStart(4, '0')}`;
}

function mutedSpans(mutedAtMs: ParticipantDefinition['mutedAtMs']): Span[] {
  if (mutedAtMs === undefined) return [];
  const spans: readonly OpenSpan[] =
    typeof mutedAtMs === 'number' ? [{ startMs: mutedAtMs }] : mutedAtMs;
  return spans.map(({ startMs, endMs = Number.POSITIVE_INFINITY }) => ({ startMs, endMs }));
}

function missingFrames(
  meetingName: string,
  { key, missing }: ParticipantDefinition,
  packetCount: number,
): Set<number> {
  const frames = new Set<number>();
  for (const { firstFrame, frames: count } of missing) {
    if (firstFrame + count > packetCount) {
      throw invalid(
        meetingName,
        `missing frames of ${key} must be among its ${packetCount}`,
        `${firstFrame} to ${firstFrame + count - 1}`,
      );
    }
    for (let frame = firstFrame; frame < firstFrame + count; frame += 1) frames.add(frame);
  }
  return frames;
}

function requireDifferentSources(name: string, participants: readonly MeetingParticipant[]): void {
  const seen = new Set<string>();
  for (const { key, sourceId } of participants) {
    if (seen.has(sourceId)) throw invalid(name, `source of ${key} must be its own`, sourceId);
    seen.add(sourceId);
  }
}

function invalid(name: string, rule: string, actual: string): CodedError {
  return new CodedError(
    'invalid_meeting',
    `Cannot prepare the meeting "${name}": ${rule}, got ${actual}`,
  );
}
