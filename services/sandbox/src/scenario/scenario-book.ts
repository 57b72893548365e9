import { CodedError } from '@earshot/async';
import { CallScript } from './call-script.js';
import type { Limits, Match, Rule, Scenario } from './scenario.js';

const MAX_SCENARIOS = 100;

/** What a rule can match a creation by. */
export interface CreationFacts {
  /** Undefined where the target is of no meeting that there is. */
  readonly meeting: string | undefined;
  readonly target: NonNullable<Match['target']>;
  readonly media: NonNullable<Match['media']>;
}

/** A loaded scenario, and how often each of its rules was used. */
export interface ScenarioSummary {
  readonly name: string;
  readonly about?: string | undefined;
  readonly seed: number;
  readonly rules: readonly { readonly matched: number; readonly used: number }[];
}

interface CountedRule {
  readonly rule: Rule;
  /** Creations that fit but for `nth`. */
  matched: number;
  used: number;
}

interface Loaded {
  readonly scenario: Scenario;
  readonly rules: readonly CountedRule[];
}

/** The scenarios that are loaded, in the order in which they were. */
export class ScenarioBook {
  readonly #loaded = new Map<string, Loaded>();

  /**
   * Loads a scenario, in place of one of the same name.
   *
   * @throws CodedError `too_many_scenarios`
   */
  add(scenario: Scenario): ScenarioSummary {
    this.#loaded.delete(scenario.name);
    if (this.#loaded.size >= MAX_SCENARIOS) {
      throw new CodedError(
        'too_many_scenarios',
        `Cannot load a scenario: there may be ${MAX_SCENARIOS} of them, got one more`,
      );
    }
    const rules = scenario.rules.map((rule) => ({ rule, matched: 0, used: 0 }));
    const loaded = { scenario, rules };
    this.#loaded.set(scenario.name, loaded);
    return summaryOf(loaded);
  }

  /** Takes one out; calls that it has begun with go on by it. False when there is none. */
  remove(name: string): boolean {
    return this.#loaded.delete(name);
  }

  /** Takes all out. */
  clear(): void {
    this.#loaded.clear();
  }

  summaries(): ScenarioSummary[] {
    return [...this.#loaded.values()].map(summaryOf);
  }

  /** What is in store for a new call; counts it. */
  scriptFor(facts: CreationFacts): CallScript {
    for (const { scenario, rules } of this.#loaded.values()) {
      for (const counted of rules) {
        if (!fits(counted.rule.match, facts)) continue;
        counted.matched += 1;
        const { nth } = counted.rule.match;
        if (nth !== undefined && !nth.includes(counted.matched)) continue;
        counted.used += 1;
        // Each call has chances of its own, and the same ones in each playing of the scenario.
        return new CallScript(counted.rule, scenario.seed + counted.used);
      }
    }
    return new CallScript();
  }

  /** Whether calling is enabled for the app, as far as scenarios go. */
  get isAppRegistered(): boolean {
    return [...this.#loaded.values()].every(({ scenario }) => scenario.registered);
  }

  /** The app's permissions in a tenant: those a scenario names, the newest winning, else the granted. */
  permitted(granted: ReadonlySet<string>, tenantId: string): ReadonlySet<string> {
    const named = [...this.#loaded.values()].map(({ scenario }) => namedFor(scenario, tenantId));
    const newest = named.findLast((permissions) => permissions !== undefined);
    return newest === undefined ? granted : new Set(newest);
  }

  /** Limits now; of two scenarios that set the same one, the newer counts. */
  limits(): Limits {
    return Object.assign({}, ...[...this.#loaded.values()].map(({ scenario }) => scenario.limits));
  }
}

function namedFor({ permissions }: Scenario, tenantId: string): readonly string[] | undefined {
  if (permissions === undefined || isList(permissions)) return permissions;
  const tenant = Object.keys(permissions).find((id) => id.toLowerCase() === tenantId.toLowerCase());
  return tenant === undefined ? undefined : permissions[tenant];
}

/** `Array.isArray` does not narrow lists that are read-only. */
function isList(value: NonNullable<Scenario['permissions']>): value is readonly string[] {
  return Array.isArray(value);
}

function fits(match: Match, { meeting, target, media }: CreationFacts): boolean {
  return (
    (match.meeting === undefined || match.meeting === meeting) &&
    (match.target === undefined || match.target === target) &&
    (match.media === undefined || match.media === media)
  );
}

function summaryOf({ scenario, rules }: Loaded): ScenarioSummary {
  const { name, about, seed } = scenario;
  return {
    name,
    ...(about === undefined ? {} : { about }),
    seed,
    rules: rules.map(({ matched, used }) => ({ matched, used })),
  };
}
