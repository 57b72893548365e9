/** A meeting named by its organiser and thread: what a long join URL tells. */
export interface OrganizerTarget {
  readonly kind: 'organizer';
  /** `19:meeting_…@thread.v2`, or a channel's `19:…@thread.tacv2`. */
  readonly threadId: string;
  /** `0`, or the channel message that announced the meeting. */
  readonly messageId: string;
  readonly replyChainMessageId?: string;
  /** Of the organiser, and so of the call. */
  readonly tenantId: string;
  /** Object id of the organiser. */
  readonly organizerId: string;
}

/** A meeting named by number: what a short join URL tells. */
export interface MeetingIdTarget {
  readonly kind: 'joinMeetingId';
  /** Digits only. */
  readonly joinMeetingId: string;
  /** Secret: never log it. */
  readonly passcode?: string;
  /** Teams' own short URLs don't have it; a call can't be made without it. */
  readonly tenantId?: string;
}

/** What must be told to Graph to join a meeting. */
export type JoinTarget = OrganizerTarget | MeetingIdTarget;
