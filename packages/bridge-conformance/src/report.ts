import type { RuleOutcome, RuleResult } from './rule.js';

/** How many checks came out which way. */
export interface Tally {
  readonly pass: number;
  readonly fail: number;
  readonly notApplicable: number;
  /** Those of `notApplicable` that wait for another check to pass. */
  readonly blocked: number;
}

const MARKS: Readonly<Record<RuleOutcome['outcome'], string>> = {
  pass: 'pass',
  fail: 'FAIL',
  notApplicable: 'n/a ',
};
/** The longest id of a check. */
const ID_COLUMNS = 18;
const SECTION_COLUMNS = 5;

export function tallyOf(results: readonly RuleResult[]): Tally {
  const count = (outcome: RuleOutcome['outcome']): number =>
    results.filter((result) => result.outcome === outcome).length;
  const blocked = results.filter(
    (result) => result.outcome === 'notApplicable' && result.blockedBy !== undefined,
  ).length;
  return {
    pass: count('pass'),
    fail: count('fail'),
    notApplicable: count('notApplicable'),
    blocked,
  };
}

/** One result for people: a line, and a second one that says why it did not pass. */
export function resultText(result: RuleResult): string {
  const { id, section, title, outcome } = result;
  const head = `${MARKS[outcome]}  ${id.padEnd(ID_COLUMNS)} ${`§${section}`.padEnd(SECTION_COLUMNS)} ${title}`;
  if (result.outcome === 'pass') return head;
  const why =
    result.outcome === 'fail' ? `expected ${result.expected}, got ${result.actual}` : result.reason;
  return `${head}\n      ${why}`;
}

/** The sum for people, as one line. */
export function tallyText({ pass, fail, notApplicable, blocked }: Tally): string {
  const total = pass + fail + notApplicable;
  return `${total} checks: ${pass} passed, ${fail} failed, ${notApplicable} not applicable (${blocked} of them blocked by another)`;
}
