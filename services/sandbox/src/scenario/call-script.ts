import { CallbackFaults } from './callback-faults.js';
import type { MethodFault, Rule } from './scenario.js';
import { seededRandom } from './seeded-random.js';

const NOTHING: Rule = { match: {}, steps: [], callbacks: [], methods: [] };

/** What a scenario has in store for one call. */
export class CallScript {
  readonly rule: Rule;
  readonly callbackFaults: CallbackFaults;
  readonly #methodCounts = new Map<string, number>();

  /** @param seed Of the chances in it. */
  constructor(rule: Rule = NOTHING, seed = 0) {
    this.rule = rule;
    this.callbackFaults = new CallbackFaults(rule.callbacks, seededRandom(seed));
  }

  /** What goes wrong with this request of a method; counts it. */
  methodFault(method: string): MethodFault | undefined {
    const name = method.toLowerCase();
    const faults = this.rule.methods.filter((fault) => fault.method.toLowerCase() === name);
    // Clients may ask for whatever they like: only what the rule names is counted.
    if (faults.length === 0) return undefined;
    const number = (this.#methodCounts.get(name) ?? 0) + 1;
    this.#methodCounts.set(name, number);
    return faults.find(({ nth }) => nth === undefined || nth.includes(number));
  }
}
