import type { CallbackFault, Forgery } from './scenario.js';

/** What a callback is about, for scenarios to choose by. */
export interface CallbackSubject {
  readonly about: 'call' | 'roster' | 'operation';
  /** Of the call, where the callback tells it. */
  readonly state?: string | undefined;
}

/** What is done to one callback on its way. */
export interface CallbackPlan {
  readonly isLost: boolean;
  /** It is delivered after the one behind it. */
  readonly isSwapped: boolean;
  /** 2 where it is doubled. */
  readonly copies: number;
  readonly delayMs: number;
  /** The first try breaks off in the middle. */
  readonly isCut: boolean;
  /** A forged one goes ahead. */
  readonly forgery: Forgery | undefined;
}

const UNHARMED: CallbackPlan = {
  isLost: false,
  isSwapped: false,
  copies: 1,
  delayMs: 0,
  isCut: false,
  forgery: undefined,
};

interface Counted {
  readonly fault: CallbackFault;
  seen: number;
  done: number;
}

/** Decides for one call's callbacks, one after the other, what goes wrong with each. */
export class CallbackFaults {
  readonly #faults: readonly Counted[];
  readonly #random: () => number;

  /** @param random A number in [0, 1), seeded. */
  constructor(faults: readonly CallbackFault[], random: () => number) {
    this.#faults = faults.map((fault) => ({ fault, seen: 0, done: 0 }));
    this.#random = random;
  }

  /** The plan of the next callback; several faults add up. */
  next(subject: CallbackSubject): CallbackPlan {
    let plan = UNHARMED;
    for (const counted of this.#faults) {
      if (!isAbout(counted.fault, subject)) continue;
      counted.seen += 1;
      if (!this.#isHit(counted)) continue;
      counted.done += 1;
      plan = worsen(plan, counted.fault);
    }
    return plan;
  }

  #isHit({ fault, seen, done }: Counted): boolean {
    const { nth, every, probability, times } = fault;
    // Drawn whether it counts or not: what other faults do must not shift the chances.
    const drawn = probability === undefined ? 0 : this.#random();
    if (times !== undefined && done >= times) return false;
    if (nth !== undefined) return nth.includes(seen);
    if (every !== undefined) return seen % every === 0;
    return probability === undefined || drawn < probability;
  }
}

function isAbout(fault: CallbackFault, { about, state }: CallbackSubject): boolean {
  if (fault.about !== 'any' && fault.about !== about) return false;
  return fault.state === undefined || fault.state === state;
}

function worsen(plan: CallbackPlan, fault: CallbackFault): CallbackPlan {
  switch (fault.do) {
    case 'lose':
      return { ...plan, isLost: true };
    case 'duplicate':
      return { ...plan, copies: plan.copies + 1 };
    case 'swap':
      return { ...plan, isSwapped: true };
    case 'delay':
      return { ...plan, delayMs: plan.delayMs + fault.byMs };
    case 'cut':
      return { ...plan, isCut: true };
    case 'forge':
      return { ...plan, forgery: fault.forgery };
  }
}
