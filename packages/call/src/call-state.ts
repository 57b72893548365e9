/** States of a call, in the order of a call's life (Graph: `microsoft.graph.callState`). */
export const CALL_STATES = [
  'incoming',
  'establishing',
  'ringing',
  'established',
  'hold',
  'transferring',
  'transferAccepted',
  'redirecting',
  'terminating',
  'terminated',
] as const;

/** State of a call; `ringing` is only in Graph's beta metadata, but seen in v1.0 payloads. */
export type CallState = (typeof CALL_STATES)[number];

/** States of one rank may follow each other in any order; a lower rank never follows a higher. */
const RANKS: Readonly<Record<CallState, number>> = {
  incoming: 0,
  establishing: 1,
  ringing: 2,
  established: 3,
  hold: 3,
  transferring: 3,
  transferAccepted: 3,
  redirecting: 3,
  terminating: 4,
  terminated: 5,
};

const BY_LOWER_CASE: ReadonlyMap<string, CallState> = new Map(
  CALL_STATES.map((state) => [state.toLowerCase(), state]),
);

/** The state that a text names, whatever its case; undefined for one that is not known. */
export function callStateOf(text: string): CallState | undefined {
  return BY_LOWER_CASE.get(text.toLowerCase());
}

/**
 * The state of a call that was in `from` once `heard` was heard of. Graph may swap and repeat
 * `establishing` and `established`, so nothing ever leads back.
 */
export function laterState(from: CallState, heard: CallState): CallState {
  return RANKS[heard] < RANKS[from] ? from : heard;
}
