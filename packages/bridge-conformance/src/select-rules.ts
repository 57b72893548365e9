import { CodedError } from '@earshot/async';
import type { Rule } from './rule.js';
import { specRuleOf } from './spec-section.js';

/**
 * The checks with these ids, or of these rules of the specification, in the suite's own order.
 *
 * @throws CodedError `unknown_rule`
 */
export function selectRules<Test>(
  rules: readonly Rule<Test>[],
  ids: readonly string[] | undefined,
): readonly Rule<Test>[] {
  if (ids === undefined || ids.length === 0) return rules;
  for (const id of ids) {
    if (rules.some((rule) => matches(rule, id))) continue;
    throw new CodedError('unknown_rule', `Cannot check ${id}: it must be a rule of this suite`, {
      fix: 'See the rules with --list.',
    });
  }
  return rules.filter((rule) => ids.some((id) => matches(rule, id)));
}

function matches<Test>({ id }: Rule<Test>, wanted: string): boolean {
  return id === wanted || specRuleOf(id) === wanted;
}
