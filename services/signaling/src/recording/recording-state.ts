import type { RecordingStatus } from '@earshot/graph';
import type { GateState } from '@earshot/recording-gate';
import { gateStateSchema } from '@earshot/recording-gate';
import { z } from 'zod';

/** An operator's word that a call may be recorded. Plain JSON, kept in the call's record. */
export interface RecordingDeclaration {
  readonly id: string;
  /** Why it is allowed, in the operator's words. */
  readonly basis: string;
  /** Where that can be looked up. */
  readonly reference?: string | undefined;
  /** Who says so: an id, no name. */
  readonly declaredBy: string;
  readonly declaredAtMs: number;
}

/** A status that Graph has to be told. */
export interface WantedStatus {
  readonly status: RecordingStatus;
  readonly request: string;
  readonly sinceMs: number;
}

/** What became of the status that Graph was told last. */
export interface ToldStatus {
  readonly status: RecordingStatus;
  readonly request: string;
  readonly accepted: boolean;
  /** Why not, as it is answered to who asked. */
  readonly problem?:
    | { readonly code: string; readonly detail: string; readonly fix?: string | undefined }
    | undefined;
  readonly atMs: number;
}

/** A call's recording, plain JSON. Absent from the record: the gate was never touched. */
export interface RecordingState {
  readonly gate: GateState;
  /** `changes` of the gate that recorders were told of last. */
  readonly shared: number;
  /** When that was (Unix ms). */
  readonly sharedAtMs?: number | undefined;
  /** When an open gate was closed last. */
  readonly closedAtMs?: number | undefined;
  readonly wanted?: WantedStatus | undefined;
  readonly told?: ToldStatus | undefined;
  /** What Graph believes: the status that it accepted last. */
  readonly accepted?: RecordingStatus | undefined;
  readonly declaration?: RecordingDeclaration | undefined;
  /** The gate was closed because we leave; what is still wanted then is all that has to be told. */
  readonly leaving?: boolean | undefined;
}

const status = z.enum(['notRecording', 'recording', 'failed']);

/** Checks a `RecordingState` read back from a record. */
export const recordingStateSchema: z.ZodType<RecordingState> = z.object({
  gate: gateStateSchema,
  shared: z.number(),
  sharedAtMs: z.number().optional(),
  closedAtMs: z.number().optional(),
  wanted: z.object({ status, request: z.string(), sinceMs: z.number() }).optional(),
  told: z
    .object({
      status,
      request: z.string(),
      accepted: z.boolean(),
      problem: z
        .object({ code: z.string(), detail: z.string(), fix: z.string().optional() })
        .optional(),
      atMs: z.number(),
    })
    .optional(),
  accepted: status.optional(),
  declaration: z
    .object({
      id: z.string(),
      basis: z.string(),
      reference: z.string().optional(),
      declaredBy: z.string(),
      declaredAtMs: z.number(),
    })
    .optional(),
  leaving: z.boolean().optional(),
});
