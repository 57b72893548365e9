import type { ResultInfo, RetryClass } from '@earshot/call';
import { classifyResult } from '@earshot/call';
import { z } from 'zod';

/** Why a call is over, as far as this service knows. */
export const END_CODES = [
  'ended_by_teams',
  'hung_up',
  'not_established',
  'call_gone',
  'media_failed',
  'host_lost',
  'host_unavailable',
  'host_refused',
  'host_timeout',
  'graph_refused',
  'graph_unavailable',
] as const;

/** A stable code of `END_CODES`. */
export type EndCode = (typeof END_CODES)[number];

/** How a call ended. Plain JSON, kept in the call's record. */
export interface CallEnd {
  readonly code: EndCode;
  /** One sentence for people; no personal data. */
  readonly reason: string;
  readonly retryClass: RetryClass;
  readonly fix?: string | undefined;
  readonly resultCode?: number | undefined;
  readonly resultSubcode?: number | undefined;
  /** Unix time. */
  readonly atMs: number;
}

/** All of Graph's results fall into one of these. */
export const RETRY_CLASSES: readonly RetryClass[] = [
  'normal',
  'never',
  'onceOnAnotherHost',
  'backOff',
  'stopForMonth',
];

/** Checks a `CallEnd` read back from a record. */
export const callEndSchema: z.ZodType<CallEnd> = z.object({
  code: z.enum(END_CODES),
  reason: z.string(),
  retryClass: z.enum(RETRY_CLASSES),
  fix: z.string().optional(),
  resultCode: z.number().optional(),
  resultSubcode: z.number().optional(),
  atMs: z.number(),
});

type LocalEndCode = Exclude<EndCode, 'ended_by_teams'>;

const LOCAL_ENDS: Readonly<Record<LocalEndCode, { reason: string; retryClass: RetryClass }>> = {
  hung_up: { reason: 'The call was hung up through the API.', retryClass: 'normal' },
  not_established: {
    reason: 'Teams did not establish the call within 75 seconds.',
    retryClass: 'backOff',
  },
  call_gone: { reason: 'Graph no longer knows the call.', retryClass: 'backOff' },
  media_failed: {
    reason: "The call's audio was lost, or could not be brought to a worker for 60 seconds.",
    retryClass: 'onceOnAnotherHost',
  },
  host_lost: {
    reason: 'The media host went away before the audio was attached to a worker.',
    retryClass: 'onceOnAnotherHost',
  },
  host_unavailable: {
    reason: 'The media host went away while the call was being prepared.',
    retryClass: 'onceOnAnotherHost',
  },
  host_refused: {
    reason: 'The media host refused the call.',
    retryClass: 'onceOnAnotherHost',
  },
  host_timeout: {
    reason: 'The media host did not prepare the call in time.',
    retryClass: 'onceOnAnotherHost',
  },
  graph_refused: { reason: 'Graph refused the call.', retryClass: 'never' },
  graph_unavailable: {
    reason: 'Graph did not answer, or answered with a failure of its own.',
    retryClass: 'backOff',
  },
};

/** An end that this service brought about; Graph's own result, when there is one, explains it. */
export function localEnd(code: LocalEndCode, atMs: number, result?: ResultInfo): CallEnd {
  return { code, atMs, ...LOCAL_ENDS[code], ...(result === undefined ? {} : explain(result)) };
}

/** An end that Graph notified of. */
export function endByTeams(result: ResultInfo | undefined, atMs: number): CallEnd {
  const cause = result === undefined ? UNEXPLAINED : explain(result);
  return { code: 'ended_by_teams', atMs, ...cause };
}

const UNEXPLAINED = {
  reason: 'Teams ended the call and gave no reason.',
  retryClass: 'normal',
} as const;

function explain(result: ResultInfo): Omit<CallEnd, 'code' | 'atMs'> {
  const verdict = classifyResult(result);
  return {
    reason: verdict.sentence,
    retryClass: verdict.class,
    ...(verdict.fix === undefined ? {} : { fix: verdict.fix }),
    resultCode: result.code,
    resultSubcode: result.subcode,
  };
}
