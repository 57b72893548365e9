import type { ChatInfo, OperationStatus } from './call-model.js';
import type { CallState } from './call-state.js';
import type { ParticipantKind } from './participant.js';
import type { ResultInfo } from './result-info.js';

/** What happened to the resource; `unknown` for a value that is not known. */
export type ChangeType = 'created' | 'updated' | 'deleted' | 'unknown';

/** What a notification says of the call; often only what changed. */
export interface CallData {
  /** Undefined when absent, or a state that is not known. */
  readonly state?: CallState;
  readonly myParticipantId?: string;
  readonly callChainId?: string;
  readonly tenantId?: string;
  readonly subject?: string;
  readonly chatInfo?: ChatInfo;
  readonly mediaState?: 'active' | 'inactive';
  readonly resultInfo?: ResultInfo;
  readonly toneInfo?: ToneInfo;
}

/** A key press in a call with service-hosted media (Graph: `toneInfo`). */
export interface ToneInfo {
  readonly sequenceId: number;
  /** Graph's name in its own spelling, such as `tone5` or `pound`. */
  readonly tone: string;
}

/** What a roster entry says of a participant; what it leaves out is not known to have changed. */
export interface ParticipantData {
  readonly id: string;
  readonly identity?: ParticipantIdentity;
  readonly isInLobby?: boolean;
  readonly isMuted?: boolean;
  readonly isServerMuted?: boolean;
  readonly audioSourceIds?: readonly string[];
  readonly rosterSequence?: number;
  /** The entry says that the participant was removed. */
  readonly isRemoved: boolean;
  /** Why, in Graph's words. */
  readonly removedReason?: string;
}

export interface ParticipantIdentity {
  readonly kind: ParticipantKind;
  readonly id?: string;
  readonly displayName?: string;
  readonly tenantId?: string;
}

/** What a notification says of an operation. */
export interface OperationData {
  readonly id: string;
  readonly type?: string;
  readonly status?: OperationStatus;
  readonly clientContext?: string;
  readonly result?: ResultInfo;
}

interface Item {
  readonly changeType: ChangeType;
  /** Graph's id of the call, as written in the resource; undefined when it names no call. */
  readonly graphCallId: string | undefined;
}

/** One item of a `microsoft.graph.commsNotifications`. */
export type CallNotification = Item &
  (
    | { readonly kind: 'call'; readonly call: CallData }
    /** The whole roster. */
    | {
        readonly kind: 'roster';
        readonly participants: readonly ParticipantData[];
        /** Of a roster that was asked for: the model's `rosterSequence` when it was, or 0. */
        readonly asOf?: number;
      }
    /** What changed in the roster since the one before. */
    | {
        readonly kind: 'rosterDelta';
        readonly sequenceNumber?: number;
        readonly participants: readonly ParticipantData[];
      }
    | { readonly kind: 'operation'; readonly operation: OperationData }
    /** Of a resource that has no part in the model, such as content sharing. */
    | { readonly kind: 'other' }
  );
