import type { EndKind, ResultInfo, RetryClass } from '@earshot/call';
import { classifyResult, END_KINDS, endKindOf, endKindOfClass } from '@earshot/call';
import { z } from 'zod';

/** Why a call is over, as far as this service knows. */
export const END_CODES = [
  'ended_by_teams',
  'hung_up',
  'auto_left',
  'not_established',
  'call_gone',
  'media_failed',
  'host_lost',
  'host_unavailable',
  'host_refused',
  'host_timeout',
  'graph_refused',
  'graph_unavailable',
  'rejected_busy',
  'rejected_forbidden',
  'not_answered',
] as const;

/** A stable code of `END_CODES`. */
export type EndCode = (typeof END_CODES)[number];

/** How a call ended. Plain JSON, kept in the call's record. */
export interface CallEnd {
  readonly code: EndCode;
  /** What people ask for: whether the bot was removed, not admitted, or everyone left. */
  readonly kind: EndKind;
  /** One sentence for people; no personal data. */
  readonly reason: string;
  readonly retryClass: RetryClass;
  readonly fix?: string | undefined;
  readonly resultCode?: number | undefined;
  readonly resultSubcode?: number | undefined;
  /** The rule by which the bot left; with `auto_left` only. */
  readonly rule?: string | undefined;
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
  // Records of older versions have none.
  kind: z.enum(END_KINDS).default('ended'),
  reason: z.string(),
  retryClass: z.enum(RETRY_CLASSES),
  fix: z.string().optional(),
  resultCode: z.number().optional(),
  resultSubcode: z.number().optional(),
  rule: z.string().optional(),
  atMs: z.number(),
});

type LocalEndCode = Exclude<EndCode, 'ended_by_teams'>;

const LOCAL_ENDS: Readonly<Record<LocalEndCode, { reason: string; retryClass: RetryClass }>> = {
  hung_up: { reason: 'The call was hung up through the API.', retryClass: 'normal' },
  auto_left: { reason: 'The bot left by a rule of the call.', retryClass: 'normal' },
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
  rejected_busy: {
    reason: 'The incoming call was rejected: no media host had room for it.',
    retryClass: 'backOff',
  },
  rejected_forbidden: {
    reason: 'The incoming call was rejected: such calls are not answered here.',
    retryClass: 'never',
  },
  not_answered: {
    reason: 'The incoming call was not answered within the time that Teams gives.',
    retryClass: 'backOff',
  },
};

/** Kinds of local ends, where they are not that of their class. */
const LOCAL_KINDS: Readonly<Partial<Record<EndCode, EndKind>>> = {
  hung_up: 'hung_up',
  auto_left: 'auto_left',
  host_unavailable: 'unavailable',
  host_refused: 'unavailable',
  host_timeout: 'unavailable',
};

/** An end that this service brought about; Graph's own result, when there is one, explains it. */
export function localEnd(code: LocalEndCode, atMs: number, result?: ResultInfo): CallEnd {
  const end = { ...LOCAL_ENDS[code], ...(result === undefined ? {} : explain(result)) };
  const kind = LOCAL_KINDS[code] ?? endKindOfClass(end.retryClass);
  return { code, kind, atMs, ...end };
}

/** An end that Graph notified of. */
export function endByTeams(result: ResultInfo | undefined, atMs: number): CallEnd {
  const cause = result === undefined ? UNEXPLAINED : explain(result);
  const kind = result === undefined ? 'ended' : endKindOf(result);
  return { code: 'ended_by_teams', kind, atMs, ...cause };
}

const UNEXPLAINED = {
  reason: 'Teams ended the call and gave no reason.',
  retryClass: 'normal',
} as const;

function explain(result: ResultInfo): Omit<CallEnd, 'code' | 'kind' | 'atMs'> {
  const verdict = classifyResult(result);
  return {
    reason: verdict.sentence,
    retryClass: verdict.class,
    ...(verdict.fix === undefined ? {} : { fix: verdict.fix }),
    resultCode: result.code,
    resultSubcode: result.subcode,
  };
}
