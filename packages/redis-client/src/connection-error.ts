import { CodedError } from '@earshot/async';

/** What failed because of the connection, as an error that people can read. */
export function connectionError(error: unknown): unknown {
  if (error instanceof CodedError) return error;
  return error instanceof Error && error.name === 'ReplyError' ? error : unreachable(error);
}

/** CodedError `redis_unreachable`. */
export function unreachable(cause: unknown): CodedError {
  const actual = cause instanceof Error ? cause.message : 'no connection';
  return new CodedError(
    'redis_unreachable',
    `Cannot use Redis: it must be reachable, got: ${actual || 'connection refused'}`,
    { cause, fix: 'Start Redis, or point REDIS_URL to it.' },
  );
}
