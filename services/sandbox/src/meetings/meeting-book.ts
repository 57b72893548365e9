import { CodedError } from '@earshot/async';
import type { Meeting } from './meeting.js';

const MAX_MEETINGS = 1_000;

/** What people and programs are told of a meeting. */
export interface MeetingSummary {
  readonly name: string;
  readonly joinUrl: string;
  readonly shortJoinUrl: string;
  /** For `tokenMeetingInfo`. */
  readonly joinToken: string;
  /** Display names. */
  readonly participants: readonly string[];
  readonly durationMs: number;
  /** Phrases spoken in it that can be listened for. */
  readonly phrases: readonly string[];
}

/** All meetings of the sandbox, found as Graph finds them. */
export class MeetingBook {
  readonly #byThread = new Map<string, Meeting>();

  /** @throws CodedError `too_many_meetings` */
  add(meeting: Meeting): void {
    if (this.#byThread.size >= MAX_MEETINGS) {
      throw new CodedError(
        'too_many_meetings',
        `Cannot add a meeting: there may be ${MAX_MEETINGS} of them, got one more`,
      );
    }
    this.#byThread.set(meeting.threadId, meeting);
  }

  /** In the order in which they were added. */
  summaries(): MeetingSummary[] {
    return [...this.#byThread.values()].map(summaryOf);
  }

  /** Thread and organiser, as the long join URL names them. */
  findByThread(threadId: string, organizerId: string): Meeting | undefined {
    const meeting = this.#byThread.get(threadId);
    return meeting?.organizerId === organizerId ? meeting : undefined;
  }

  /** Meeting id and passcode, as the short join URL names them. */
  findById(joinMeetingId: string, passcode: string | undefined): Meeting | undefined {
    for (const meeting of this.#byThread.values()) {
      if (meeting.joinMeetingId === joinMeetingId && meeting.passcode === passcode) return meeting;
    }
    return undefined;
  }

  /** The thread alone, as a chat names it. */
  findByChat(threadId: string): Meeting | undefined {
    return this.#byThread.get(threadId);
  }

  /** The token of an invitation. */
  findByToken(joinToken: string): Meeting | undefined {
    for (const meeting of this.#byThread.values()) {
      if (meeting.joinToken === joinToken) return meeting;
    }
    return undefined;
  }

  /** The newest of that name; the first of all without one. */
  findByName(name: string | undefined): Meeting | undefined {
    const meetings = [...this.#byThread.values()];
    return name === undefined ? meetings[0] : meetings.findLast((m) => m.name === name);
  }

  /** Whether a meeting, and so a bot, can belong to this tenant. */
  hasTenant(tenantId: string): boolean {
    for (const meeting of this.#byThread.values()) {
      if (meeting.tenantId === tenantId) return true;
    }
    return false;
  }
}

/** What may be told of a meeting. */
export function summaryOf(meeting: Meeting): MeetingSummary {
  return {
    name: meeting.name,
    joinUrl: meeting.joinUrl,
    shortJoinUrl: meeting.shortJoinUrl,
    joinToken: meeting.joinToken,
    participants: meeting.participants.map(({ displayName }) => displayName),
    durationMs: meeting.durationMs,
    phrases: meeting.phrases,
  };
}
