/** Something that the specification demands and that can be seen from outside. */
export interface Rule<Test> {
  /** That of the rule of the specification, with a word after a dot where it has several checks. */
  readonly id: string;
  readonly title: string;
  /** How long it may take, when that is longer than usual. */
  readonly limitMs?: number;
  /** It breaks what rules share: run alone, before those that can be under way at once. */
  readonly isAlone?: boolean;
  /** It can end what other rules need: run alone, after all others. */
  readonly isLast?: boolean;
  /**
   * @throws Mismatch when the peer breaks the rule, NotApplicable when that can't be told.
   */
  check(test: Test): Promise<void>;
}

/** What came of checking one rule. */
export type RuleResult = RuleOutcome & {
  readonly id: string;
  /** Of the specification, such as `5`. */
  readonly section: string;
  readonly title: string;
  readonly durationMs: number;
};

export type RuleOutcome =
  | { readonly outcome: 'pass' }
  | { readonly outcome: 'fail'; readonly expected: string; readonly actual: string }
  | {
      readonly outcome: 'notApplicable';
      readonly reason: string;
      /** The check that must pass first: nothing is known of this one, and the run is no success. */
      readonly blockedBy?: string;
    };
