import { z } from 'zod';
import type { PageQuery } from './paging.js';
import { PAGE_FIELDS } from './paging.js';
import type { ParticipantView } from './schemas.js';
import { participantShape } from './schemas.js';

/** Someone who is, or was, in a call. */
export interface RosterEntryView extends ParticipantView {
  /** Muted by the service for everyone. */
  readonly isServerMuted: boolean;
  /** Our own leg. */
  readonly isSelf: boolean;
  /** ISO 8601 in UTC; present once they left. */
  readonly leftAt?: string | undefined;
  /** Why, in Graph's words, when it told. */
  readonly leftReason?: string | undefined;
}

/** A page of participants. */
export interface RosterView {
  readonly participants: readonly RosterEntryView[];
  readonly nextCursor?: string | undefined;
}

/** Query of the list of participants. */
export interface ListParticipantsQuery extends PageQuery {
  readonly presence: 'present' | 'lobby' | 'left';
}

/** Someone who can be brought into a call, or that a call can be handed to. */
export interface PartyBody {
  readonly kind: 'user' | 'phone' | 'application' | 'applicationInstance';
  readonly id: string;
  readonly displayName?: string | undefined;
  readonly tenantId?: string | undefined;
}

/** Body of `POST /v1/calls/:id/participants`. */
export interface InviteBody {
  readonly participants: readonly (PartyBody & {
    readonly isHidden?: boolean | undefined;
    readonly replacesCallId?: string | undefined;
  })[];
}

/** Body of `POST /v1/calls/:id/transfer`. */
export interface TransferBody {
  readonly target: PartyBody;
  readonly replacesCallId?: string | undefined;
  readonly transferee?: PartyBody | undefined;
}

/** Checks `ListParticipantsQuery`. */
export const listParticipantsQuery: z.ZodType<ListParticipantsQuery> = z.object({
  ...PAGE_FIELDS,
  presence: z
    .enum(['present', 'lobby', 'left'])
    .default('present')
    .describe('Who is in the call or its lobby; those in the lobby; the last 100 who left'),
});

/** E.164. */
const PHONE = /^\+[1-9]\d{6,14}$/;

const partyShape = {
  kind: z.enum(['user', 'phone', 'application', 'applicationInstance']),
  id: z
    .string()
    .min(1)
    .max(200)
    .describe(
      'Object id of a user or instance, client id of an app, number of a phone as +12065550100',
    ),
  displayName: z.string().trim().min(1).max(256).optional(),
  tenantId: z.string().min(1).max(100).optional(),
};

const replacesCallId = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .describe('Our other call with the same party, which this one takes the place of');

const party = z.strictObject(partyShape).superRefine(checkNumber);

/** Checks `InviteBody`. */
export const inviteBody: z.ZodType<InviteBody> = z.strictObject({
  participants: z
    .array(
      z
        .strictObject({
          ...partyShape,
          isHidden: z.boolean().optional().describe('Not shown in the roster'),
          replacesCallId,
        })
        .superRefine(checkNumber),
    )
    .min(1)
    .max(5),
});

/** Checks `TransferBody`. */
export const transferBody: z.ZodType<TransferBody> = z.strictObject({
  target: party,
  replacesCallId,
  transferee: party.optional().describe('Who is handed over, out of a group call'),
});

/** Describes `RosterEntryView`. */
export const rosterEntryView: z.ZodType<RosterEntryView> = z.object({
  ...participantShape,
  isServerMuted: z.boolean().describe('Muted by the service for everyone'),
  isSelf: z.boolean().describe('Our own leg'),
  leftAt: z.iso.datetime().optional().describe('Present once they left'),
  leftReason: z.string().optional().describe("In Graph's words, when it told"),
});

/** Describes `RosterView`. */
export const rosterView: z.ZodType<RosterView> = z.object({
  participants: z.array(rosterEntryView).describe('By id; those who left, newest first'),
  nextCursor: z.string().optional(),
});

function checkNumber(
  { kind, id }: { readonly kind: string; readonly id: string },
  context: z.core.$RefinementCtx,
): void {
  if (kind !== 'phone' || PHONE.test(id)) return;
  context.addIssue({ code: 'custom', path: ['id'], message: 'must be a number like +12065550100' });
}
