import type { Clock } from '@earshot/async';
import type { RuleResult } from '../rule.js';
import { runRules } from '../run-rules.js';
import { selectRules } from '../select-rules.js';
import type { CallSource } from './call-source.js';
import { CONTROL_RULES } from './control-rules.js';
import { CREDIT_RULES } from './credit-rules.js';
import { FRAME_RULES } from './frame-rules.js';
import { HELLO_RULES } from './hello-rules.js';
import { LIFE_RULES } from './life-rules.js';
import { MOVE_RULES } from './move-rules.js';
import { RESUME_RULES } from './resume-rules.js';
import { SEQUENCE_RULES } from './sequence-rules.js';
import { TokenBook } from './token-book.js';
import { TOKEN_RULES } from './token-rules.js';
import { UPGRADE_RULES } from './upgrade-rules.js';
import type { TokenKey, WorkerRule } from './worker-test.js';
import { WorkerTest } from './worker-test.js';

/** All checks of workers. */
export const WORKER_RULES: readonly WorkerRule[] = [
  ...UPGRADE_RULES,
  ...TOKEN_RULES,
  ...HELLO_RULES,
  ...CONTROL_RULES,
  ...FRAME_RULES,
  ...SEQUENCE_RULES,
  ...CREDIT_RULES,
  ...LIFE_RULES,
  ...RESUME_RULES,
  ...MOVE_RULES,
];

export interface WorkerSuiteOptions {
  /** `ws:` or `wss:` URL of the worker's media link. */
  readonly url: string;
  readonly calls: CallSource;
  /** Without it, tokens that must be refused can't be made. */
  readonly tokenKey?: TokenKey | undefined;
  readonly clock: Clock;
  /** Ids of checks or rules; all by default. */
  readonly only?: readonly string[] | undefined;
  /** How long an answer may take, ms. @defaultValue 3000 */
  readonly replyMs?: number | undefined;
  /** How long nothing must come to be taken for nothing, ms. @defaultValue 500 */
  readonly quietMs?: number | undefined;
  /** How long most checks may take, ms. @defaultValue 15 000 */
  readonly limitMs?: number | undefined;
  /** Checks under way at once; with a fixed call always 1. @defaultValue 8 */
  readonly concurrency?: number | undefined;
  /**
   * How many connections of one address the worker leaves open and not yet welcomed (U-15);
   * without it that is not checked.
   */
  readonly pendingLimit?: number | undefined;
  readonly onResult?: ((result: RuleResult) => void) | undefined;
}

/**
 * Checks a media worker: plays the host on links of its own for each check.
 *
 * @throws CodedError `unknown_rule`
 */
export function checkWorker(options: WorkerSuiteOptions): Promise<RuleResult[]> {
  const { url, calls, tokenKey, clock, replyMs = 3000, quietMs = 500, pendingLimit } = options;
  const tokens = new TokenBook();
  return runRules({
    rules: selectRules(WORKER_RULES, options.only),
    clock,
    concurrency: lanesOf(options),
    limitMs: options.limitMs ?? 15_000,
    onResult: options.onResult,
    open() {
      const test = new WorkerTest({
        url,
        calls,
        tokenKey,
        clock,
        replyMs,
        quietMs,
        tokens,
        pendingLimit,
      });
      return { test, close: () => test.close() };
    },
  });
}

function lanesOf({ calls, concurrency = 8, pendingLimit = 64 }: WorkerSuiteOptions): number {
  // Links of one call replace each other.
  if (calls.isFixed) return 1;
  // A rule has two links at most that are not welcomed, and must not stand in the way of others.
  return Math.max(1, Math.min(concurrency, Math.floor(pendingLimit / 3)));
}
