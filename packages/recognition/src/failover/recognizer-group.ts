import type { Clock } from '@earshot/async';
import type { Recognizer } from '../recognizer.js';
import type { BreakerOptions, BreakerState } from './breaker.js';
import { afterAttempt, afterFailure, afterSuccess, allows, NEW_BREAKER } from './breaker.js';

export interface Member {
  readonly recognizer: Recognizer;
  state: BreakerState;
}

/** Recognizers in the order in which they are wanted, and what is known of each. */
export class RecognizerGroup {
  readonly members: readonly Member[];
  readonly #clock: Clock;
  readonly #options: BreakerOptions;

  constructor(recognizers: readonly Recognizer[], clock: Clock, options: BreakerOptions) {
    this.members = recognizers.map((recognizer) => ({ recognizer, state: NEW_BREAKER }));
    this.#clock = clock;
    this.#options = options;
  }

  /** The first that may be asked, apart from some. */
  best(without: ReadonlySet<Member>): Member | undefined {
    const nowMs = this.#clock.nowMs();
    return this.members.find((each) => !without.has(each) && allows(each.state, nowMs));
  }

  attempted(member: Member): void {
    member.state = afterAttempt(member.state, this.#clock.nowMs(), this.#options);
  }

  succeeded(member: Member): void {
    member.state = afterSuccess();
  }

  failed(member: Member, isHopeless: boolean): void {
    const nowMs = this.#clock.nowMs();
    member.state = afterFailure(member.state, nowMs, isHopeless, this.#options);
  }
}
