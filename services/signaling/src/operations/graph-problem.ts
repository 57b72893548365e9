import { classifyResult } from '@earshot/call';
import { GraphError } from '@earshot/graph';
import type { StoredProblem } from '../calls/stored-problem.js';

/** A request about a call that Graph did not carry out, or may not have. */
export interface GraphFailure {
  readonly problem: StoredProblem;
  /** Nothing was done, so that the same request may be sent again. */
  readonly isVoid: boolean;
  /** Graph may have done it all the same. */
  readonly mayHaveHappened: boolean;
}

/** Statuses of Graph that mean the same here. */
const PASSED_ON: ReadonlySet<number> = new Set([400, 403, 404, 409, 422]);

const STATUSES: Readonly<Record<string, number>> = {
  graph_throttled: 429,
  graph_timeout: 504,
  graph_request_invalid: 400,
  needs_service_hosted_media: 409,
  needs_app_hosted_media: 409,
};

/** Answered by Graph with a no, so that asking again would be asking twice. */
const ANSWERED: ReadonlySet<string> = new Set(['graph_refused', 'graph_failed']);

/** What Graph's refusal or silence means for the one who asked. Rethrows what is not Graph's. */
export function graphFailureOf(error: unknown): GraphFailure {
  if (!(error instanceof GraphError)) throw error;
  const { code, mayHaveHappened } = error;
  return {
    problem: problemOf(error),
    isVoid: !ANSWERED.has(code) && !mayHaveHappened,
    mayHaveHappened,
  };
}

function problemOf(error: GraphError): StoredProblem {
  const { code, status, message, resultCode, subcode, retryAfterMs } = error;
  const verdict =
    resultCode === undefined || subcode === undefined
      ? undefined
      : classifyResult({ code: resultCode, subcode });
  const fix = verdict?.fix ?? error.fix;
  const passed = code === 'graph_refused' && PASSED_ON.has(status) ? status : undefined;
  return {
    status: passed ?? STATUSES[code] ?? 502,
    code,
    title: verdict?.sentence ?? TITLES[code] ?? 'Graph failed',
    detail: message,
    ...(fix === undefined ? {} : { fix }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(verdict === undefined ? {} : { resultCode, resultSubcode: subcode }),
  };
}

const TITLES: Readonly<Record<string, string>> = {
  graph_refused: 'Graph refused',
  graph_throttled: 'Graph is throttling',
  graph_request_invalid: 'Graph takes no such request',
  needs_service_hosted_media: 'Not for calls of a media host',
  needs_app_hosted_media: 'Only for calls of a media host',
};
