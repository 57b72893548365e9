import type { ResultInfo } from '@earshot/call';
import { classifyResult } from '@earshot/call';
import type {
  AdmissionLimits,
  AdmissionStanding,
  AdmissionStore,
  GiveBackOptions,
  PauseCause,
} from '@earshot/registry';
import type { StoredProblem } from '../calls/service-state.js';
import type { SignalingMetrics } from '../metrics.js';
import { Problem } from '../rest/problem.js';
import { monthlyLimitProblem, pausedProblem, tooManyCallsProblem } from './admission-problems.js';

/** How long nothing is asked of Graph when it did not say how long. */
const PAUSES_MS: Readonly<Record<PauseCause, number>> = {
  throttled: 10_000,
  too_many_calls: 30_000,
};
/** Graph's results that tell that it throttles, and that it counts too many calls. */
const THROTTLED = 8516;
const TOO_MANY_CALLS = 8530;

/** What admission stands on. */
export interface AdmissionOptions {
  readonly store: AdmissionStore;
  readonly limits: AdmissionLimits;
  readonly metrics: Pick<SignalingMetrics, 'admissionRefusals'>;
}

/** What Graph said when it refused a call, or ended it. */
export interface Lesson {
  readonly result?: Pick<ResultInfo, 'code' | 'subcode'> | undefined;
  /** Graph answered 429. */
  readonly isThrottled?: boolean;
  /** How long Graph asked to wait. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * Lets no more calls be made than Graph's limits for the app allow, over all pods: at once and per
 * calendar month. What Graph says of its limits counts for all pods, too.
 */
export class Admission {
  readonly limits: AdmissionLimits;
  readonly #store: AdmissionStore;
  readonly #metrics: AdmissionOptions['metrics'];
  #seen: AdmissionStanding | undefined;

  constructor({ store, limits, metrics }: AdmissionOptions) {
    this.limits = limits;
    this.#store = store;
    this.#metrics = metrics;
  }

  /** As it was when this process last looked, for metrics; undefined before. */
  get seen(): AdmissionStanding | undefined {
    return this.#seen;
  }

  /**
   * Takes the call's place, or keeps it, and counts its creation once.
   *
   * @param creation 1 for the call's first creation in Graph.
   * @throws Problem `too_many_calls`, `monthly_limit_reached`, `graph_throttled`; with the time to wait.
   */
  async take(callId: string, creation: number): Promise<void> {
    const { outcome, standing } = await this.#store.take(callId, creation, this.limits);
    this.#seen = standing;
    if (outcome === 'ok') return;
    const problem = this.#refusal(outcome, standing);
    this.#metrics.admissionRefusals.add(1, { code: problem.code });
    throw new Problem(problem);
  }

  /** Gives the call's place back: once, however often it is said. */
  async giveBack(callId: string, options: GiveBackOptions): Promise<void> {
    await this.#store.giveBack(callId, options);
  }

  /**
   * Draws the consequence of what Graph said: a pause, or no call for the rest of the month.
   *
   * @returns how the request is to be answered, when it is one of Graph's limits.
   */
  async learn(lesson: Lesson): Promise<StoredProblem | undefined> {
    const { result, isThrottled = false, retryAfterMs } = lesson;
    if (result !== undefined && classifyResult(result).class === 'stopForMonth') {
      await this.#store.closeMonth();
      return monthlyLimitProblem(await this.standing(), this.limits);
    }
    const cause = pauseCauseOf(result?.subcode, isThrottled || result?.code === 429);
    if (cause === undefined) return undefined;
    await this.#store.pause(retryAfterMs ?? PAUSES_MS[cause], cause);
    return pausedProblem(await this.standing(), this.limits);
  }

  async standing(): Promise<AdmissionStanding> {
    const standing = await this.#store.standing();
    this.#seen = standing;
    return standing;
  }

  #refusal(
    outcome: 'too_many_calls' | 'monthly_limit_reached' | 'paused',
    standing: AdmissionStanding,
  ): StoredProblem {
    switch (outcome) {
      case 'monthly_limit_reached':
        return monthlyLimitProblem(standing, this.limits);
      case 'too_many_calls':
        return tooManyCallsProblem(standing, this.limits);
      case 'paused':
        return pausedProblem(standing, this.limits);
    }
  }
}

function pauseCauseOf(subcode: number | undefined, isThrottled: boolean): PauseCause | undefined {
  if (subcode === TOO_MANY_CALLS) return 'too_many_calls';
  return subcode === THROTTLED || isThrottled ? 'throttled' : undefined;
}
