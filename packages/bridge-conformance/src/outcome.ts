/** A rule was checked and is broken. */
export class Mismatch extends Error {
  readonly expected: string;
  readonly actual: string;

  constructor(expected: string, actual: string) {
    super(`expected ${expected}, got ${actual}`);
    this.name = 'Mismatch';
    this.expected = expected;
    this.actual = actual;
  }
}

/** A rule can't be checked on this peer, or in this run. */
export class NotApplicable extends Error {
  /** Of the rule that failed, when it is why this one can't be checked. */
  readonly blockedBy: string | undefined;

  constructor(reason: string, blockedBy?: string) {
    super(blockedBy === undefined ? reason : `${reason} (see ${blockedBy})`);
    this.name = 'NotApplicable';
    this.blockedBy = blockedBy;
  }
}

/** @throws Mismatch when `isMet` is false. */
export function require(isMet: boolean, expected: string, actual: unknown): asserts isMet {
  if (!isMet) throw new Mismatch(expected, show(actual));
}

/** One line, short enough for a list. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 160 ? `${text.slice(0, 157)}...` : text;
}
