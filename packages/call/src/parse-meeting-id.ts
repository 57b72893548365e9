import type { MeetingIdTarget } from './join-target.js';
import { defined } from './lenient.js';
import { meetingNumberOf } from './parse-join-url.js';

/** What an invitation tells people to type in. */
export interface MeetingIdText {
  /** Such as `273 598 234 567 1`. */
  readonly meetingId: string;
  /** Secret. */
  readonly passcode?: string | undefined;
  readonly tenantId?: string | undefined;
}

export type MeetingIdResult =
  | { readonly ok: true; readonly target: MeetingIdTarget }
  | {
      readonly ok: false;
      readonly code: 'malformed_meeting_id';
      /** For people; never holds the passcode. */
      readonly message: string;
    };

/**
 * Reads a meeting's number and passcode as an invitation shows them, with spaces between the
 * groups of digits. Never throws.
 */
export function parseMeetingId({ meetingId, passcode, tenantId }: MeetingIdText): MeetingIdResult {
  const joinMeetingId = meetingNumberOf(meetingId);
  if (joinMeetingId === undefined) {
    const got = `${meetingId.replace(/\D/g, '').length} digits and other text`;
    return {
      ok: false,
      code: 'malformed_meeting_id',
      message: `Cannot read the meeting id: it must be 6 to 20 digits, got ${got}`,
    };
  }
  const trimmed = passcode?.trim() || undefined;
  return {
    ok: true,
    target: { kind: 'joinMeetingId', joinMeetingId, ...defined({ passcode: trimmed, tenantId }) },
  };
}
