import type { Participant } from '@earshot/call';
import { PARTICIPANT_KINDS } from '@earshot/call';
import { z } from 'zod';

/** Someone who was in the call. Plain JSON, kept in the call's record; holds personal data. */
export interface LeftParticipant {
  readonly id: string;
  readonly kind: Participant['kind'];
  readonly displayName?: string | undefined;
  /** Unix time. */
  readonly leftAtMs: number;
  /** Why, in Graph's words, when it told. */
  readonly reason?: string | undefined;
}

/** Leavers of one call that are remembered; the oldest are forgotten first. */
const LEAVERS_REMEMBERED = 100;

/** Checks the leavers read back from a record. */
export const leftSchema: z.ZodType<readonly LeftParticipant[]> = z.array(
  z.object({
    id: z.string(),
    kind: z.enum(PARTICIPANT_KINDS),
    displayName: z.string().optional(),
    leftAtMs: z.number(),
    reason: z.string().optional(),
  }),
);

/** The list with one more. */
export function withLeaver(
  left: readonly LeftParticipant[] = [],
  { id, kind, displayName }: Participant,
  reason: string | undefined,
  leftAtMs: number,
): readonly LeftParticipant[] {
  const leaver: LeftParticipant = {
    id,
    kind,
    leftAtMs,
    ...(displayName === undefined ? {} : { displayName }),
    ...(reason === undefined ? {} : { reason }),
  };
  return [...withoutLeaver(left, id), leaver].slice(-LEAVERS_REMEMBERED);
}

/** The list without someone who came back under the same id. */
export function withoutLeaver(
  left: readonly LeftParticipant[] = [],
  id: string,
): readonly LeftParticipant[] {
  return left.filter((leaver) => leaver.id !== id);
}
