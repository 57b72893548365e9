import { GraphError } from './graph-error.js';
import type { TokenFault } from './token-network.js';

const CHECK_ALL = 'Check GRAPH_CLIENT_ID, GRAPH_CLIENT_SECRET and admin consent in that tenant.';

/** What to do about the error numbers of Entra ID that operators meet. */
const FIXES: ReadonlyMap<number, string> = new Map([
  [7000215, "Set GRAPH_CLIENT_SECRET to the secret's value; its id is another text."],
  [7000222, 'Make a new client secret: the one in GRAPH_CLIENT_SECRET has expired.'],
  [7000216, 'Set GRAPH_CLIENT_SECRET.'],
  [
    700016,
    'Have an administrator of that tenant consent to the app, and check GRAPH_CLIENT_ID: the tenant does not know the app.',
  ],
  [90002, 'Check the tenant id: there is no such tenant in this cloud.'],
  [900023, 'Check the tenant id: it must be a GUID or a domain name.'],
  [7000112, 'Enable the app: an administrator has disabled it.'],
  [53003, "Ask the tenant's administrator: a conditional access policy blocks the app."],
]);

/**
 * Why there is no token: `graph_token_refused` when the answer will stay the same until someone
 * changes something, else `graph_token_unavailable`. Neither shows a credential.
 */
export function tokenError(
  tenantId: string,
  fault: TokenFault | undefined,
  cause: unknown,
): GraphError {
  if (fault?.kind === 'noAnswer') return noAnswer(tenantId, fault, cause);
  if (fault !== undefined && (fault.status === 429 || fault.status >= 500)) {
    const { status, retryAfterMs } = fault;
    return new GraphError(
      'graph_token_unavailable',
      `Cannot get a token for tenant ${tenantId}: Entra ID must grant one, got ${status}`,
      { status, retryAfterMs },
      { cause },
    );
  }
  const got = fault === undefined ? nameOf(cause) : wordsOf(fault);
  return new GraphError(
    'graph_token_refused',
    `Cannot get a token for tenant ${tenantId}: Entra ID must grant one, got ${got}`,
    { status: fault?.status ?? 0 },
    { cause, fix: FIXES.get(fault?.aadsts ?? 0) ?? CHECK_ALL },
  );
}

function noAnswer(
  tenantId: string,
  { connection }: Extract<TokenFault, { kind: 'noAnswer' }>,
  cause: unknown,
): GraphError {
  const got = connection.timedOut ? 'no answer in time' : 'no connection';
  const code = connection.code === undefined ? '' : ` (${connection.code})`;
  return new GraphError(
    'graph_token_unavailable',
    `Cannot get a token for tenant ${tenantId}: Entra ID must be reachable, got ${got}${code}`,
    {},
    { cause, fix: 'Check GRAPH_AUTHORITY_URL, the network, and the trusted certificates.' },
  );
}

/** The number is what an operator can look up. */
function wordsOf({ aadsts, status }: Extract<TokenFault, { kind: 'refusal' }>): string {
  return aadsts === undefined ? `${status}` : `AADSTS${aadsts}`;
}

/** msal's own errors have a code; their texts may hold anything. */
function nameOf(cause: unknown): string {
  if (typeof cause === 'object' && cause !== null && 'errorCode' in cause) {
    if (typeof cause.errorCode === 'string' && cause.errorCode !== '') return cause.errorCode;
  }
  return cause instanceof Error ? cause.name : 'none';
}
