import type { Meeting, MeetingParticipant } from '../src/meetings/meeting.js';

/** Opus' first byte for one mono frame of 20 ms, wideband SILK (RFC 6716 §3.1). */
const TOC = 0x48;

/** Packets that look like Opus and tell who and which they are. */
export function testPackets(count: number, speaker = 0): Uint8Array[] {
  return Array.from({ length: count }, (_, frame) =>
    Uint8Array.of(TOC, speaker, frame >> 8, frame & 0xff, 0xaa),
  );
}

/** The number of a test packet. */
export function packetNumber(packet: Uint8Array): number {
  return (packet[2]! << 8) | packet[3]!;
}

export function testParticipant(changes: Partial<MeetingParticipant> = {}): MeetingParticipant {
  return {
    key: 'ada',
    displayName: 'Ada',
    kind: 'user',
    identityId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
    sourceId: '201',
    joinAtMs: 0,
    leaveAtMs: 1_000,
    muted: [],
    packets: [],
    missing: new Set(),
    ...changes,
  };
}

export function testMeeting(
  participants: readonly MeetingParticipant[],
  changes: Partial<Meeting> = {},
): Meeting {
  return {
    name: 'test',
    durationMs: 1_000,
    phrases: [],
    tenantId: 't',
    organizerId: 'o',
    threadId: '19:meeting_test@thread.v2',
    joinMeetingId: '1',
    passcode: 'p',
    joinToken: 't',
    joinUrl: '',
    shortJoinUrl: '',
    participants,
    lobby: undefined,
    setupFailure: undefined,
    endResult: undefined,
    ...changes,
  };
}
