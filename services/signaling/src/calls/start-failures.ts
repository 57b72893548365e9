import { CodedError } from '@earshot/async';
import type { ResultInfo } from '@earshot/call';
import { classifyResult } from '@earshot/call';
import { GraphError } from '@earshot/graph';
import type { EndCode } from './call-end.js';
import type { StoredProblem } from './service-state.js';

/** Why a call could not be made, for the one who asked and for the call's record. */
export interface StartFailure {
  readonly problem: StoredProblem;
  readonly end: Exclude<EndCode, 'ended_by_teams'>;
  readonly result: ResultInfo | undefined;
  /** Graph may have made the call although it did not say so. */
  readonly legMayExist: boolean;
}

/** No host can take a call: nothing was begun. */
export const NO_MEDIA_HOST: StoredProblem = {
  status: 503,
  code: 'no_media_host',
  title: 'No media host',
  detail:
    'Cannot join the meeting: a media host with room must be connected to the host link of a process, got none',
  fix: 'Start a media host (or the sandbox) and connect it; GET /v1/hosts shows those connected.',
  retryAfterMs: 5_000,
};

/** The process that has the media host did not answer. */
export const START_TIMEOUT: StoredProblem = {
  status: 504,
  code: 'start_timeout',
  title: 'The call was not started in time',
  detail:
    'Cannot join the meeting: the process that has the media host must start the call in time, got no sign of it',
  fix: 'Try again; look after the signaling process that the media host is connected to.',
  retryAfterMs: 5_000,
};

/** A request that can't be carried out as it is: 422. */
export function requestProblem(code: string, rule: string, fix?: string): StoredProblem {
  return {
    status: 422,
    code,
    title: 'Request cannot be carried out',
    detail: `Cannot join the meeting: ${rule}`,
    ...(fix === undefined ? {} : { fix }),
  };
}

/** Refusal of a join URL: 400 when it is no URL at all, else 422. */
export function joinUrlProblem(refusal: { code: string; message: string }): StoredProblem {
  return {
    status: refusal.code === 'not_a_url' ? 400 : 422,
    code: refusal.code,
    title: 'Not a meeting that can be joined',
    detail: refusal.message,
  };
}

/** Failure of the media host to prepare the call. */
export function hostFailure(error: unknown): StartFailure {
  const code = error instanceof CodedError ? error.code : 'host_unavailable';
  const detail = error instanceof Error ? error.message : 'Cannot prepare the call';
  const shared = { result: undefined, legMayExist: false };
  const title = 'The media host failed';
  switch (code) {
    case 'host_timeout':
      return { ...shared, end: code, problem: { status: 504, code, title, detail } };
    case 'host_refused':
      return { ...shared, end: code, problem: { status: 502, code, title, detail } };
    default:
      return {
        ...shared,
        end: 'host_unavailable',
        problem: { status: 503, code: 'host_unavailable', title, detail },
      };
  }
}

/** Refusal or silence of Graph. */
export function graphFailure(error: unknown): StartFailure {
  if (!(error instanceof GraphError)) throw error;
  const { code, mayHaveHappened: legMayExist } = error;
  const result = resultOf(error);
  const end = REFUSALS.has(code) ? 'graph_refused' : 'graph_unavailable';
  const verdict = result === undefined ? undefined : classifyResult(result);
  const fix = verdict?.fix ?? error.fix;
  const isWorthWaiting = (verdict?.class ?? 'backOff') === 'backOff' && end !== 'graph_refused';
  const retryAfterMs = error.retryAfterMs ?? (isWorthWaiting ? BACK_OFF_MS : undefined);
  const problem: StoredProblem = {
    status: GRAPH_STATUSES[code] ?? 502,
    code,
    title: legMayExist ? 'Graph failed' : 'Graph refused the call',
    detail: error.message,
    ...(fix === undefined ? {} : { fix }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  return { problem, result, legMayExist, end };
}

/** Graph's result; where its answer names none, the status of HTTP stands for it. */
function resultOf({ code, status, resultCode, subcode }: GraphError): ResultInfo | undefined {
  if (resultCode !== undefined && subcode !== undefined) return { code: resultCode, subcode };
  // Statuses of Entra ID, and 0 for no answer, tell nothing of the calls API.
  if (status === 0 || code.startsWith('graph_token')) return undefined;
  return { code: status, subcode: 0 };
}

/** When it is worth asking again after a failure that is to be backed off from, and Graph did not say. */
const BACK_OFF_MS = 5_000;

const REFUSALS: ReadonlySet<string> = new Set([
  'graph_refused',
  'graph_request_invalid',
  'graph_token_refused',
]);

/** Statuses other than 502 for Graph's failures, by the code of the error. */
const GRAPH_STATUSES: Readonly<Record<string, number>> = {
  graph_request_invalid: 422,
  graph_throttled: 503,
  graph_timeout: 504,
};
