import { classifyResult } from './classify-result.js';
import type { ResultInfo } from './result-info.js';
import type { RetryClass } from './result-rows.js';

/** How a call came to its end, in the words in which people ask; see the README. */
export const END_KINDS = [
  'hung_up',
  'auto_left',
  'removed',
  'not_admitted',
  'meeting_ended',
  'everyone_left',
  'nobody_came',
  'transferred',
  'media_failed',
  'refused',
  'limited',
  'unavailable',
  'ended',
] as const;

/** One of `END_KINDS`; `ended` for a normal end that says no more. */
export type EndKind = (typeof END_KINDS)[number];

const BY_SUBCODE: ReadonlyMap<number, EndKind> = new Map([
  ...kinds('removed', 5000, 5300),
  ...kinds('not_admitted', 5855),
  ...kinds('meeting_ended', 5001, 5003, 5007, 5014, 5030),
  ...kinds('everyone_left', 5002, 5010, 5012, 5020, 4097, 4521, 18503, 540000, 560000),
  ...kinds('nobody_came', 5013),
  ...kinds('hung_up', 7000, 10550),
  ...kinds('transferred', 7015),
  ...kinds('limited', 8516, 8530),
]);

const BY_CLASS: Readonly<Record<RetryClass, EndKind>> = {
  normal: 'ended',
  never: 'refused',
  onceOnAnotherHost: 'media_failed',
  backOff: 'unavailable',
  stopForMonth: 'limited',
};

/** What kind of end a result of Graph is. */
export function endKindOf(result: Pick<ResultInfo, 'code' | 'subcode'>): EndKind {
  // 500/7000 is a transfer that failed.
  const told = result.code === 500 ? undefined : BY_SUBCODE.get(result.subcode);
  return told ?? endKindOfClass(classifyResult(result).class);
}

/** What kind of end a class of results is, when nothing more is known. */
export function endKindOfClass(retryClass: RetryClass): EndKind {
  return BY_CLASS[retryClass];
}

function kinds(kind: EndKind, ...subcodes: readonly number[]): [number, EndKind][] {
  return subcodes.map((subcode) => [subcode, kind]);
}
