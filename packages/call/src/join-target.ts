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

/** A meeting named by a token that Graph gave with an incoming call (Graph: `tokenMeetingInfo`). */
export interface TokenTarget {
  readonly kind: 'token';
  /** Secret: never log it. */
  readonly token: string;
  readonly tenantId?: string;
}

/** Users of Teams to be called: one alone, or up to five in a group call. */
export interface UsersTarget {
  readonly kind: 'users';
  readonly users: readonly UserRef[];
  /** Of the users, and so of the call. */
  readonly tenantId: string;
}

/** A user of Teams; both are personal data. */
export interface UserRef {
  /** Object id. */
  readonly id: string;
  readonly displayName?: string;
}

/** A telephone to be called from a number that the app owns. */
export interface PhoneTarget {
  readonly kind: 'phone';
  /** E.164, such as `+15550100`; personal data. */
  readonly phoneNumber: string;
  /** The application instance that holds the app's number. */
  readonly applicationInstance: {
    /** Object id. */
    readonly id: string;
    readonly displayName?: string;
  };
  readonly tenantId: string;
}

/** A meeting that a URL can name. */
export type MeetingTarget = OrganizerTarget | MeetingIdTarget;

/** Whom or what a call is to be made to. */
export type JoinTarget = MeetingTarget | TokenTarget | UsersTarget | PhoneTarget;
