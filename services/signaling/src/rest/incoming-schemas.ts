import type { IncomingScenario } from '@earshot/call';
import { z } from 'zod';

/** What came in. Who called is in the call's participants. */
export interface IncomingView {
  readonly scenario: IncomingScenario;
  /** When Teams gives an unanswered call up. */
  readonly answerBy: string;
  /** Participants that the call records at most, where Graph asks about each. */
  readonly participantCapacity?: number | undefined;
  /** Where Teams has the media, as far as it told. */
  readonly mediaHostedRegion?: string | undefined;
}

/** Describes `IncomingView`. */
export const incomingView: z.ZodType<IncomingView> = z.object({
  scenario: z.enum(['policyRecording', 'group', 'user']),
  answerBy: z.iso.datetime().describe('When Teams gives an unanswered call up'),
  participantCapacity: z.number().optional(),
  mediaHostedRegion: z.string().optional(),
});
