import type { ChatInfo } from './call-model.js';
import type { ParticipantIdentity } from './call-notification.js';

/** What kind of call came in: a recording policy's invitation, into a group call, or a user's own. */
export type IncomingScenario = 'policyRecording' | 'group' | 'user';

/** A call that waits to be answered. Holds personal data and secrets: never log it. */
export interface IncomingCall {
  readonly graphCallId: string;
  readonly scenario: IncomingScenario;
  readonly tenantId?: string;
  readonly myParticipantId?: string;
  readonly callChainId?: string;
  readonly chatInfo?: ChatInfo;
  /** Joins the meeting anew (Graph: `tokenMeetingInfo`). */
  readonly meetingToken?: string;
  readonly source?: IncomingSource;
  readonly context?: IncomingContext;
  readonly botData?: BotData;
}

/** Who calls; of a policy recording, who is recorded. */
export interface IncomingSource {
  readonly participantId?: string;
  readonly identity?: ParticipantIdentity;
  readonly region?: string;
}

/** Whose recording it is (Graph: `incomingContext`). */
export interface IncomingContext {
  readonly observedParticipantId?: string;
  readonly sourceParticipantId?: string;
  readonly onBehalfOf?: ParticipantIdentity;
  readonly transferor?: ParticipantIdentity;
}

/** What Teams tells a recording bot beside the call (`applicationMetadata.botData`). */
export interface BotData {
  readonly mediaHostedRegion?: string;
  readonly policyIdentifier?: string;
  readonly inviteReasons: readonly string[];
  /** The recorded party: `participationMethod` is `caller`, `callee`, … */
  readonly user?: BotDataUser;
  readonly otherSideUser?: BotDataUser;
  readonly pairedRecorders: readonly BotDataUser[];
  readonly otherRecorders: readonly BotDataUser[];
}

export interface BotDataUser {
  readonly id?: string;
  readonly participantId?: string;
  readonly tenantId?: string;
  readonly participationMethod?: string;
  readonly clientLocation?: string;
}

/** What the bot's registered webhook, or a recording call's address, was sent. */
export type IncomingBody =
  | { readonly kind: 'notifications'; readonly calls: readonly IncomingCall[] }
  /** Graph asks whether one more participant can be recorded: the answer is the response. */
  | {
      readonly kind: 'joining' | 'left';
      readonly graphCallId: string | undefined;
      /** Undefined when nobody is named. */
      readonly participantId: string | undefined;
    }
  /** The older format, in which a call may first come: Graph's own follows. */
  | { readonly kind: 'legacy' }
  | { readonly kind: 'unreadable' };
