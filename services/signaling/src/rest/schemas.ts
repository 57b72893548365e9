import type { CallState, EndKind, RetryClass } from '@earshot/call';
import { CALL_STATES, END_KINDS } from '@earshot/call';
import type { ListeningChange } from '@earshot/listening';
import { listeningChangeSchema } from '@earshot/listening';
import { z } from 'zod';
import { RETRY_CLASSES } from '../calls/call-end.js';
import type { AttemptView } from './attempt-schemas.js';
import { attemptView } from './attempt-schemas.js';
import type { AutoLeaveBody, AutoLeaveView, LobbyView } from './auto-leave-schemas.js';
import { autoLeaveBody, autoLeaveView, lobbyView } from './auto-leave-schemas.js';
import type { IncomingView } from './incoming-schemas.js';
import { incomingView } from './incoming-schemas.js';
import type { PageQuery } from './paging.js';
import { PAGE_FIELDS } from './paging.js';
import type { RecordingView } from './recording-schemas.js';
import { recordingView } from './recording-schemas.js';

// What crosses the REST API: requests are checked by these schemas, answers are described by them.

/** Body of `POST /v1/calls`. */
export interface CreateCallBody {
  /** Either this or `meetingId`. */
  readonly joinUrl?: string | undefined;
  /** As the invitation shows it, with spaces. */
  readonly meetingId?: string | undefined;
  /** Of `meetingId`; a secret. */
  readonly passcode?: string | undefined;
  readonly tenantId?: string | undefined;
  readonly displayName?: string | undefined;
  readonly autoLeave?: AutoLeaveBody | undefined;
  /** What it does not name is as the service has it. */
  readonly listening?: ListeningChange | undefined;
}

/** Query of `GET /v1/calls`. */
export interface ListCallsQuery extends PageQuery {
  readonly state?: CallState | undefined;
  /** ISO 8601. */
  readonly since?: string | undefined;
  readonly tenantId?: string | undefined;
}

/** A call as the REST API shows it. */
export interface CallView {
  readonly id: string;
  readonly state: string;
  readonly direction: 'incoming' | 'outgoing';
  /** Of a call that came in. */
  readonly incoming?: IncomingView | undefined;
  /** Empty for a call that came in. */
  readonly joinUrlHost: string;
  readonly tenantId: string;
  /** ISO 8601 in UTC, as all times here. */
  readonly createdAt: string;
  readonly establishedAt?: string | undefined;
  readonly endedAt?: string | undefined;
  readonly media: {
    readonly hostId?: string | undefined;
    /** The worker that the audio goes to, or went to last. */
    readonly workerId?: string | undefined;
    /** The audio goes to that worker now. */
    readonly attached: boolean;
    /** Present while the call is established. */
    readonly attachment?: AttachmentView | undefined;
  };
  /** Absent when the bot never was in a lobby. */
  readonly lobby?: LobbyView | undefined;
  readonly autoLeave?: AutoLeaveView | undefined;
  readonly recording: RecordingView;
  readonly participants: readonly ParticipantView[];
  /** How often the call was tried, oldest first. */
  readonly attempts: readonly AttemptView[];
  /** How many events of the call are in the queue, of all sources. */
  readonly events: { readonly published: number };
  readonly result?: ResultView | undefined;
}

/** Which states an attachment can be in; see `AttachmentView`. */
export const ATTACHMENT_STATES = ['attaching', 'attached', 'interrupted', 'moving'] as const;

/** Where a call's audio goes. */
export interface AttachmentView {
  /** The worker that the host last confirmed; absent before the first. */
  readonly workerId?: string | undefined;
  /** Of that worker's attachment; a higher one supersedes a lower one. */
  readonly epoch?: number | undefined;
  /**
   * Not confirmed yet; confirmed; the link broke and its host dials it again; on the way to
   * another attachment.
   */
  readonly state: (typeof ATTACHMENT_STATES)[number];
  readonly since: string;
  /** How often the audio went from one attachment to the next. */
  readonly moves: number;
}

/** Someone in the call. */
export interface ParticipantView {
  readonly id: string;
  readonly displayName?: string | undefined;
  readonly kind: string;
  readonly isInLobby: boolean;
  readonly isMuted: boolean;
  /** Audio sources (MSI) as decimal text. */
  readonly sourceIds: readonly string[];
}

/** Why a call ended. */
export interface ResultView {
  /** A stable code. */
  readonly cause: string;
  /** What people ask for: removed, not admitted, everyone left, … */
  readonly kind: EndKind;
  /** One sentence for people. */
  readonly reason: string;
  readonly retryClass: RetryClass;
  readonly fix?: string | undefined;
  readonly resultCode?: number | undefined;
  readonly resultSubcode?: number | undefined;
  /** The rule by which the bot left, if it did. */
  readonly rule?: string | undefined;
}

/** A page of calls. */
export interface CallListView {
  readonly calls: readonly CallView[];
  readonly nextCursor?: string | undefined;
}

/** A failure (RFC 9457). */
export interface ProblemView {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly fix?: string | undefined;
  /** Graph's own result, when it gave one. */
  readonly resultCode?: number | undefined;
  readonly resultSubcode?: number | undefined;
  /** The operation that failed, or of which nothing is known. */
  readonly operationId?: string | undefined;
}

/** Teams names tenants by GUID. */
const GUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

/** Checks `CreateCallBody`. */
export const createCallBody: z.ZodType<CreateCallBody> = z
  .object({
    joinUrl: z.string().min(1).max(4096).optional().describe('Teams meeting link, long or short'),
    meetingId: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe("Instead of joinUrl: the meeting's number, spaces allowed"),
    passcode: z.string().max(100).optional().describe('Of meetingId'),
    tenantId: z
      .string()
      .regex(GUID, 'must be a GUID')
      .optional()
      .describe(
        "The meeting's tenant: needed for short links and numbers, unless one is configured",
      ),
    displayName: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .optional()
      .describe('Joins as a guest of this name, who waits in the lobby'),
    autoLeave: autoLeaveBody.optional(),
    listening: listeningChangeSchema
      .optional()
      .describe('What is listened for; parts that are not named are as EARSHOT_LISTENING says'),
  })
  .refine(({ joinUrl, meetingId }) => (joinUrl === undefined) !== (meetingId === undefined), {
    path: ['joinUrl'],
    message: 'or meetingId must be given, and not both',
  })
  .meta({ oneOf: [{ required: ['joinUrl'] }, { required: ['meetingId'] }] });

/** Checks the `Idempotency-Key` header. */
export const idempotencyKey: z.ZodType<string | undefined> = z.string().min(1).max(255).optional();

/** Checks `ListCallsQuery`. */
export const listCallsQuery: z.ZodType<ListCallsQuery> = z.object({
  ...PAGE_FIELDS,
  state: z.enum(CALL_STATES).optional().describe('Only calls in this state'),
  since: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('Only calls that were made at or after this time'),
  tenantId: z
    .string()
    .regex(GUID, 'must be a GUID')
    .optional()
    .describe('Only calls of this tenant'),
});

const attachmentView: z.ZodType<AttachmentView> = z.object({
  workerId: z.string().optional().describe('The worker that the host last confirmed'),
  epoch: z.number().optional(),
  state: z.enum(ATTACHMENT_STATES),
  since: z.iso.datetime(),
  moves: z.number().describe('How often the audio went from one attachment to the next'),
});

/** Fields of `ParticipantView`. */
export const participantShape: {
  readonly [Field in keyof ParticipantView]-?: z.ZodType<ParticipantView[Field]>;
} = {
  id: z.string(),
  displayName: z.string().optional(),
  kind: z.string(),
  isInLobby: z.boolean(),
  isMuted: z.boolean(),
  sourceIds: z.array(z.string()).describe('Audio sources (MSI) of the participant'),
};

const participantView: z.ZodType<ParticipantView> = z.object(participantShape);

const resultView: z.ZodType<ResultView> = z.object({
  cause: z.string().describe('Stable code'),
  kind: z.enum(END_KINDS).describe('What people ask for'),
  reason: z.string(),
  retryClass: z.enum(RETRY_CLASSES),
  fix: z.string().optional(),
  resultCode: z.number().optional(),
  resultSubcode: z.number().optional(),
  rule: z.string().optional().describe('The rule by which the bot left'),
});

/** Describes `CallView`. */
export const callView: z.ZodType<CallView> = z.object({
  id: z.string(),
  state: z.string().describe('A callState of Graph'),
  direction: z.enum(['incoming', 'outgoing']),
  incoming: incomingView.optional(),
  joinUrlHost: z.string().describe('Empty for a call that came in'),
  tenantId: z.string(),
  createdAt: z.iso.datetime(),
  establishedAt: z.iso.datetime().optional(),
  endedAt: z.iso.datetime().optional(),
  media: z.object({
    hostId: z.string().optional(),
    workerId: z.string().optional(),
    attached: z.boolean(),
    attachment: attachmentView.optional(),
  }),
  lobby: lobbyView.optional(),
  autoLeave: autoLeaveView.optional(),
  recording: recordingView,
  participants: z.array(participantView),
  attempts: z.array(attemptView).describe('How often the call was tried, oldest first'),
  events: z.object({
    published: z.number().describe('Events of the call in the queue so far, of all sources'),
  }),
  result: resultView.optional(),
});

/** Describes `CallListView`. */
export const callListView: z.ZodType<CallListView> = z.object({
  calls: z.array(callView),
  nextCursor: z.string().optional(),
});

/** Describes `ProblemView`. */
export const problemView: z.ZodType<ProblemView> = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  fix: z.string().optional(),
  resultCode: z.number().optional().describe("Graph's own, when it gave one"),
  resultSubcode: z.number().optional(),
  operationId: z
    .string()
    .optional()
    .describe('The operation that failed, or of which nothing is known'),
});
