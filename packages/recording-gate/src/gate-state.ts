import { z } from 'zod';

/** What may open a gate: Graph's yes to `recording`, or an operator's word. */
export type GateBasis = 'graph' | 'declaration';

/** Why a gate was closed for good or for now. */
export type CloseReason = 'notRecording' | 'failed' | 'refused' | 'withdrawn' | 'callEnded';

interface GateShared {
  /** The one basis on which this call's gate can open. */
  readonly allows: GateBasis;
  /** Grows by one with each opening and each closing; a permit is of one opening. */
  readonly changes: number;
}

/** Nothing of the call may be persisted. */
export interface ClosedGate extends GateShared {
  readonly state: 'closed';
  readonly basis: null;
  /** `default`: it was never open. */
  readonly reason: 'default' | CloseReason;
  /** Names the request to Graph whose success may open the gate. */
  readonly asked?: string | undefined;
  /** The call is over: it never opens again. */
  readonly isFinal: boolean;
}

declare const opened: unique symbol;

/** The call may be recorded. Made by `reduceGate`, or read back by `parseGateState`: no literal is one. */
export interface OpenGate extends GateShared {
  readonly state: 'open';
  readonly basis: GateBasis;
  readonly reason: 'recording' | 'declared';
  readonly [opened]: true;
}

/** Whether a call may be recorded. Plain JSON; never changed in place. */
export type GateState = ClosedGate | OpenGate;

/** What happens to a gate. */
export type GateInput =
  /** Graph is about to be asked for `recording`, by this request. */
  | { readonly kind: 'asked'; readonly request: string }
  /** Graph accepted that request. */
  | { readonly kind: 'granted'; readonly request: string }
  /** An operator's declaration is in the audit log. */
  | { readonly kind: 'declared' }
  | { readonly kind: 'closed'; readonly reason: CloseReason };

/** The gate of a call that has just begun. */
export function closedGate(allows: GateBasis): ClosedGate {
  return { allows, changes: 0, state: 'closed', basis: null, reason: 'default', isFinal: false };
}

/**
 * The gate after an input; the same object when nothing changed. Opens only for what was asked, or
 * declared, since it was closed last: a success that comes late opens nothing.
 */
export function reduceGate(gate: GateState, input: GateInput): GateState {
  if (input.kind === 'closed') return close(gate, input.reason);
  if (gate.state === 'open' || gate.isFinal) return gate;
  switch (input.kind) {
    case 'asked':
      return gate.allows === 'graph' ? { ...gate, asked: input.request } : gate;
    case 'granted':
      return gate.asked === input.request ? open(gate, 'recording') : gate;
    case 'declared':
      return gate.allows === 'declaration' ? open(gate, 'declared') : gate;
  }
}

const CLOSED_REASONS = [
  'default',
  'notRecording',
  'failed',
  'refused',
  'withdrawn',
  'callEnded',
] as const;

const shared = { allows: z.enum(['graph', 'declaration']), changes: z.int().min(0) };

const closedSchema = z.object({
  ...shared,
  state: z.literal('closed'),
  basis: z.null(),
  reason: z.enum(CLOSED_REASONS),
  asked: z.string().optional(),
  isFinal: z.boolean(),
});

const openSchema = z
  .object({
    ...shared,
    state: z.literal('open'),
    basis: z.enum(['graph', 'declaration']),
    reason: z.enum(['recording', 'declared']),
  })
  .refine(({ allows, basis }) => allows === basis, 'must be open on the basis that it allows')
  .transform((gate) => gate as OpenGate);

/** Checks a state that was stored. */
export const gateStateSchema: z.ZodType<GateState> = z.union([closedSchema, openSchema]);

/** A state that was stored; undefined for anything else, which has to count as closed. */
export function parseGateState(value: unknown): GateState | undefined {
  const parsed = gateStateSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

function open(gate: ClosedGate, reason: OpenGate['reason']): OpenGate {
  const { allows, changes } = gate;
  const state = { allows, changes: changes + 1, state: 'open', basis: allows, reason };
  return state as unknown as OpenGate;
}

/** Asking is over with it; a closed gate keeps why it was closed, unless the call is over. */
function close(gate: GateState, reason: CloseReason): ClosedGate {
  const isFinal = reason === 'callEnded';
  const { allows, changes } = gate;
  if (gate.state === 'closed') {
    if (gate.isFinal || (!isFinal && gate.asked === undefined)) return gate;
    const { asked: _, ...rest } = gate;
    return { ...rest, ...(gate.asked === undefined ? {} : { reason }), isFinal };
  }
  return { allows, changes: changes + 1, state: 'closed', basis: null, reason, isFinal };
}
