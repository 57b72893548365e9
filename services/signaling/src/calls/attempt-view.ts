import type { CallRecord } from '@earshot/registry';
import type { AttemptView } from '../rest/attempt-schemas.js';
import type { EarlierAttempt } from './call-attempt.js';
import type { ServiceState } from './service-state.js';

/** How often the call was tried, and how, as the REST API shows it: the present attempt is last. */
export function attemptsOf(record: CallRecord, state: ServiceState): readonly AttemptView[] {
  const { attempt } = state;
  const earlier = attempt?.earlier.map(earlierView) ?? [];
  const startedAtMs = attempt?.startedAtMs ?? record.createdAtMs;
  const { hostId } = record;
  return [
    ...earlier,
    {
      attempt: earlier.length + 1,
      ...(hostId === undefined ? {} : { hostId }),
      startedAt: isoTime(startedAtMs),
    },
  ];
}

function earlierView({ hostId, startedAtMs, end }: EarlierAttempt, index: number): AttemptView {
  const { code, atMs, resultCode, resultSubcode } = end;
  return {
    attempt: index + 1,
    ...(hostId === undefined ? {} : { hostId }),
    startedAt: isoTime(startedAtMs),
    endedAt: isoTime(atMs),
    cause: code,
    ...(resultCode === undefined ? {} : { resultCode }),
    ...(resultSubcode === undefined ? {} : { resultSubcode }),
  };
}

function isoTime(unixMs: number): string {
  return new Date(unixMs).toISOString();
}
