import type { Cancel } from '@earshot/async';
import type { CallIdentity } from '../graph/simulated-call.js';
import type { RingKind } from './ring-request.js';

/** What became of a call that rang. */
export type RingingState =
  | 'ringing'
  | 'answered'
  | 'rejected'
  | 'redirected'
  /** Nobody acted on it in time (8587). */
  | 'missed'
  /** The bot did not take the notification (8586). */
  | 'notAcknowledged';

/** What the bot said of one more participant of a recording. */
export type PartyOutcome = 'accepted' | 'rejected' | 'invited' | 'invalid' | 'overbooked';

/** A call to the bot, from its first ring on. */
export interface RingingCall extends CallIdentity {
  readonly kind: RingKind;
  readonly tenantId: string;
  readonly participantId: string;
  readonly callerId: string;
  readonly callerName: string;
  readonly region: string | undefined;
  readonly rangAtMs: number;
  /** Where it rings; a redirection changes it. */
  webhook: string;
  state: RingingState;
  /** The bot took the notification. */
  isAcknowledged: boolean;
  /** Of the rejection. */
  reason?: string;
  answeredAfterMs?: number;
  participantCapacity?: number;
  readonly parties: { participantId: string; outcome: PartyOutcome; hasLeft: boolean }[];
  cancelDeadline: Cancel;
}

/** What programs are told of a call that rang. */
export interface RingingSummary {
  /** Graph's id of it. */
  readonly id: string;
  readonly kind: RingKind;
  readonly state: RingingState;
  /** The bot took the notification. */
  readonly isAcknowledged: boolean;
  readonly reason?: string | undefined;
  readonly answeredAfterMs?: number | undefined;
  readonly participantCapacity?: number | undefined;
  readonly parties: readonly {
    readonly participantId: string;
    readonly outcome: PartyOutcome;
    readonly hasLeft: boolean;
  }[];
}

export function summaryOfRinging(call: RingingCall): RingingSummary {
  const { id, kind, state, isAcknowledged, reason, answeredAfterMs, participantCapacity } = call;
  const parties = call.parties.map((party) => ({ ...party }));
  const told = { id, kind, state, isAcknowledged, reason, answeredAfterMs, participantCapacity };
  return { ...told, parties };
}
