import type { Clock } from '@earshot/async';
import { Mismatch, NotApplicable } from './outcome.js';
import type { Rule, RuleOutcome, RuleResult } from './rule.js';
import { sectionOf } from './spec-section.js';

/** What a rule gets for itself: everything it opens is closed when it is over. */
export interface RuleScope<Test> {
  readonly test: Test;
  close(): Promise<void>;
}

export interface RunRulesOptions<Test> {
  readonly rules: readonly Rule<Test>[];
  readonly clock: Clock;
  /** Rules under way at once. */
  readonly concurrency: number;
  /** How long a rule may take that does not say so itself. */
  readonly limitMs: number;
  readonly onResult?: ((result: RuleResult) => void) | undefined;
  open(rule: Rule<Test>): RuleScope<Test>;
}

/** Checks the rules, each on its own, and gives the results in the order of the rules. */
export async function runRules<Test>(options: RunRulesOptions<Test>): Promise<RuleResult[]> {
  const results = new Map<string, RuleResult>();
  const run = async (rule: Rule<Test>): Promise<void> => {
    const startMs = options.clock.nowMs();
    const outcome = await checkRule(rule, options);
    const { id, title } = rule;
    const durationMs = Math.round(options.clock.nowMs() - startMs);
    const result = { id, section: sectionOf(id), title, durationMs, ...outcome };
    results.set(id, result);
    options.onResult?.(result);
  };
  const isLast = (rule: Rule<Test>): boolean => rule.isLast === true;
  const isAlone = (rule: Rule<Test>): boolean => rule.isAlone === true && !isLast(rule);
  for (const rule of options.rules) if (isAlone(rule)) await run(rule);
  const waiting = options.rules.filter((rule) => !isAlone(rule) && !isLast(rule));
  const lane = async (): Promise<void> => {
    for (let rule = waiting.shift(); rule !== undefined; rule = waiting.shift()) await run(rule);
  };
  await Promise.all(Array.from({ length: options.concurrency }, lane));
  for (const rule of options.rules) if (isLast(rule)) await run(rule);
  return options.rules.flatMap(({ id }) => results.get(id) ?? []);
}

async function checkRule<Test>(
  rule: Rule<Test>,
  { clock, limitMs, open }: RunRulesOptions<Test>,
): Promise<RuleOutcome> {
  const ownLimitMs = rule.limitMs ?? limitMs;
  const scope = open(rule);
  let cancel = (): void => {};
  const tooLate = new Promise<never>((_, reject) => {
    cancel = clock.at(clock.nowMs() + ownLimitMs, () =>
      reject(new Mismatch(`an outcome within ${ownLimitMs} ms`, 'none')),
    );
  });
  try {
    const check = rule.check(scope.test);
    // It goes on until its links are closed, and nobody listens then.
    check.catch(() => {});
    await Promise.race([check, tooLate]);
    return { outcome: 'pass' };
  } catch (error) {
    return outcomeOf(error);
  } finally {
    cancel();
    await scope.close();
  }
}

function outcomeOf(error: unknown): RuleOutcome {
  if (error instanceof Mismatch) {
    return { outcome: 'fail', expected: error.expected, actual: error.actual };
  }
  if (error instanceof NotApplicable) {
    const { message: reason, blockedBy } = error;
    const blocked = blockedBy === undefined ? {} : { blockedBy };
    return { outcome: 'notApplicable', reason, ...blocked };
  }
  // Our own mistake must not pass for the peer's good conduct.
  const actual = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { outcome: 'fail', expected: 'the check itself to work', actual };
}
