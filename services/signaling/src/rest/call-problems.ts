import { Problem } from './problem.js';

const LIVE_RETRY_MS = 5000;

/** For what can be asked only of a call that is up. */
export function callNotLive(state: string): Problem {
  return new Problem({
    status: 409,
    code: 'call_not_live',
    title: 'Call not live',
    detail: `Cannot ask Teams: the call must be established and not be ending, got state ${state}`,
    retryAfterMs: LIVE_RETRY_MS,
  });
}

/** Nobody in the roster has the id. */
export function participantNotFound(): Problem {
  return new Problem({
    status: 404,
    code: 'participant_not_found',
    title: 'No such participant',
    detail: 'Cannot find the participant: the id must be one of the list, got another',
  });
}
