import type { Operation } from './call-model.js';
import type { CallState } from './call-state.js';
import type { Participant } from './participant.js';
import type { ResultInfo } from './result-info.js';

/** What one notification changed, in the order in which it should be told. */
export type CallChange =
  | { readonly kind: 'stateChanged'; readonly from: CallState; readonly to: CallState }
  | {
      readonly kind: 'participantJoined' | 'participantUpdated';
      /** As it is now. */
      readonly participant: Participant;
    }
  | {
      readonly kind: 'participantLeft';
      /** As it was last. */
      readonly participant: Participant;
      /** Why, in Graph's words, when it told. */
      readonly reason?: string;
    }
  | {
      /** A key press that Graph told of; late ones come late, so order by `sequenceId`. */
      readonly kind: 'tone';
      /** Graph's name, such as `tone5` or `pound`. */
      readonly tone: string;
      readonly sequenceId: number;
    }
  | {
      /** An operation that Graph told of is new, or further than before. */
      readonly kind: 'operation';
      readonly operation: Operation;
    }
  | { readonly kind: 'ended'; readonly result?: ResultInfo };
