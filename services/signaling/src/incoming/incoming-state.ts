import type { BotData, IncomingContext, IncomingScenario, IncomingSource } from '@earshot/call';
import { z } from 'zod';

/**
 * How far a call that came in is: to be answered, the answer on its way to Graph (it may have got
 * there), answered.
 */
export type AnswerProgress = 'due' | 'sent' | 'accepted';

/** What is known of a call because it came in. Plain JSON; holds personal data and a secret. */
export interface IncomingState {
  readonly scenario: IncomingScenario;
  readonly answer: AnswerProgress;
  readonly receivedAtMs: number;
  /** Teams gives the call up then. */
  readonly answerByMs: number;
  /** Declared to be recorded once it is established. */
  readonly recordsAtOnce: boolean;
  readonly participantCapacity?: number | undefined;
  /** Joins the meeting anew. */
  readonly meetingToken?: string | undefined;
  readonly source?: IncomingSource | undefined;
  readonly context?: IncomingContext | undefined;
  readonly botData?: BotData | undefined;
}

const identity = z.object({
  kind: z.string(),
  id: z.string().optional(),
  displayName: z.string().optional(),
  tenantId: z.string().optional(),
});
const user = z.object({
  id: z.string().optional(),
  participantId: z.string().optional(),
  tenantId: z.string().optional(),
  participationMethod: z.string().optional(),
  clientLocation: z.string().optional(),
});

/** Checks an `IncomingState` read back from a record. */
export const incomingStateSchema: z.ZodType<IncomingState> = z.object({
  scenario: z.enum(['policyRecording', 'group', 'user']),
  answer: z.enum(['due', 'sent', 'accepted']),
  receivedAtMs: z.number(),
  answerByMs: z.number(),
  recordsAtOnce: z.boolean(),
  participantCapacity: z.number().optional(),
  meetingToken: z.string().optional(),
  source: z
    .object({
      participantId: z.string().optional(),
      identity: identity.optional(),
      region: z.string().optional(),
    })
    .optional(),
  context: z
    .object({
      observedParticipantId: z.string().optional(),
      sourceParticipantId: z.string().optional(),
      onBehalfOf: identity.optional(),
      transferor: identity.optional(),
    })
    .optional(),
  botData: z
    .object({
      mediaHostedRegion: z.string().optional(),
      policyIdentifier: z.string().optional(),
      inviteReasons: z.array(z.string()),
      user: user.optional(),
      otherSideUser: user.optional(),
      pairedRecorders: z.array(user),
      otherRecorders: z.array(user),
    })
    .optional(),
}) as unknown as z.ZodType<IncomingState>;
