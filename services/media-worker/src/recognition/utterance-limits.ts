import type { Recognizer } from '@earshot/recognition';

/** Sessions that may fail with an utterance before it is skipped. */
export const MAX_FAILURES = 2;

/** How long a recognizer that promises nothing may take for results, and counts as taking to open. */
const UNPROMISED_MS = 20_000;

/** How much longer than promised is waited: that it failed by itself is to come first. */
const SLACK_MS = 1000;

type Promises = Pick<Recognizer, 'maxOpenMs' | 'maxResultsMs'>;

/** How long results may take once all of an utterance was given. */
export function resultsLimitMs({ maxResultsMs }: Promises): number {
  return maxResultsMs === undefined ? UNPROMISED_MS : maxResultsMs + SLACK_MS;
}

/** How long an utterance may take that has ended, from its turn until it is told of, or skipped. */
export function utteranceLimitMs(promises: Promises): number {
  const { maxOpenMs = UNPROMISED_MS } = promises;
  return MAX_FAILURES * (maxOpenMs + resultsLimitMs(promises));
}
