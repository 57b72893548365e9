import { GraphError } from '@earshot/graph';

/** Graph answers 404 (8522) for a call that is over; a 404 of Entra ID tells nothing of it. */
export function isGone(error: unknown): boolean {
  return error instanceof GraphError && error.code === 'graph_refused' && error.status === 404;
}
