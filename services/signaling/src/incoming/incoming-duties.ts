import type { Duty } from '../calls/duties.js';
import type { ServiceState } from '../calls/service-state.js';

/** What there is to do for a call that came in and is not answered yet. */
export type IncomingDutyKind = 'answer' | 'endUnanswered';

/** Undefined once the call is answered, or when it did not come in. */
export function incomingDuties({ incoming }: ServiceState): Duty[] | undefined {
  if (incoming?.answer !== 'due') return undefined;
  return [
    { kind: 'endUnanswered', dueAtMs: incoming.answerByMs },
    { kind: 'answer', dueAtMs: incoming.receivedAtMs },
  ];
}
