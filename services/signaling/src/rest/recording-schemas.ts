import type { RecordingStatus } from '@earshot/graph';
import type { GateBasis } from '@earshot/recording-gate';
import { z } from 'zod';

/** Body of `POST /v1/calls/:id/recording-status`. */
export interface RecordingStatusBody {
  readonly status: RecordingStatus;
}

/** Body of `POST /v1/calls/:id/recording-declaration`. */
export interface RecordingDeclarationBody {
  readonly basis: string;
  readonly reference?: string | undefined;
  readonly declaredBy: string;
}

/** Whether a call may be recorded, and why. */
export interface RecordingView {
  readonly gate: 'open' | 'closed';
  /** What can open it in this call. */
  readonly opensBy: GateBasis;
  readonly basis: GateBasis | null;
  readonly reason: string;
  /** The status that Graph accepted last. */
  readonly status?: RecordingStatus | undefined;
  /** A status that Graph is still to be told. */
  readonly pendingStatus?: RecordingStatus | undefined;
  readonly declaration?:
    | {
        readonly id: string;
        readonly basis: string;
        readonly reference?: string | undefined;
        readonly declaredBy: string;
        readonly declaredAt: string;
      }
    | undefined;
}

const ID = /^[\w.:/-]{1,100}$/;
const status = z.enum(['notRecording', 'recording', 'failed']);
const basis = z.enum(['graph', 'declaration']);

/** Checks `RecordingStatusBody`. */
export const recordingStatusBody: z.ZodType<RecordingStatusBody> = z.object({
  status: status.describe('What Graph is to be told; anything but `recording` closes the gate'),
});

/** Checks `RecordingDeclarationBody`. */
export const recordingDeclarationBody: z.ZodType<RecordingDeclarationBody> = z.object({
  basis: z.string().trim().min(1).max(1000).describe('Why the call may be recorded'),
  reference: z
    .string()
    .regex(ID, 'must be letters, digits and . : / - _, at most 100')
    .optional()
    .describe('Where that can be looked up, such as a ticket; stands in the audit log'),
  declaredBy: z
    .string()
    .regex(ID, 'must be letters, digits and . : / - _, at most 100')
    .describe('Who says so: an id, no name or address; stands in the audit log'),
});

/** Describes `RecordingView`. */
export const recordingView: z.ZodType<RecordingView> = z.object({
  gate: z.enum(['open', 'closed']).describe('`open`: the call may be recorded'),
  opensBy: basis.describe('`graph` in policy-recording calls, else `declaration`'),
  basis: basis.nullable(),
  reason: z.string(),
  status: status.optional().describe('The status that Graph accepted last'),
  pendingStatus: status.optional().describe('A status that Graph is still to be told'),
  declaration: z
    .object({
      id: z.string(),
      basis: z.string(),
      reference: z.string().optional(),
      declaredBy: z.string(),
      declaredAt: z.iso.datetime(),
    })
    .optional(),
});
