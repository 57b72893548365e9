import { GraphError } from './graph-error.js';
import type { TokenFault } from './token-network.js';

const CHECK_ALL = 'Check GRAPH_CLIENT_ID, its credential, and admin consent in that tenant.';

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
  [
    700027,
    'Upload the certificate of GRAPH_CERTIFICATE_FILE to the app registration, or check that it has not expired.',
  ],
  [700024, 'Set the clock of this machine: the assertion is not valid yet, or no more.'],
  [700211, 'Add a federated credential to the app registration: none has the issuer of the token.'],
  [700212, 'Correct the audience of the federated credential of the app registration.'],
  [
    700213,
    'Add a federated credential to the app registration: none has the subject of the token.',
  ],
  [53003, "Ask the tenant's administrator: a conditional access policy blocks the app."],
]);

/** Who was asked, and for whom. */
export interface TokenRequest {
  readonly giver: 'Entra ID' | 'the managed identity';
  /** Absent where the giver has tokens of one tenant only. */
  readonly tenantId: string | undefined;
}

/**
 * Why there is no token: `graph_token_refused` when the answer will stay the same until someone
 * changes something, else `graph_token_unavailable`. Neither shows a credential.
 */
export function tokenError(
  asked: TokenRequest,
  fault: TokenFault | undefined,
  cause: unknown,
): GraphError {
  if (fault?.kind === 'noAnswer') return noAnswer(asked, fault, cause);
  if (fault !== undefined && (fault.status === 429 || fault.status >= 500)) {
    const { status, retryAfterMs } = fault;
    return new GraphError(
      'graph_token_unavailable',
      `${actionOf(asked)}: ${asked.giver} must grant one, got ${status}`,
      { status, retryAfterMs },
      { cause },
    );
  }
  const got = fault === undefined ? nameOf(cause) : wordsOf(fault);
  return new GraphError(
    'graph_token_refused',
    `${actionOf(asked)}: ${asked.giver} must grant one, got ${got}`,
    { status: fault?.status ?? 0 },
    { cause, fix: fixOf(asked, fault) },
  );
}

/** A tenant that a managed identity has no token of. */
export function foreignTenant(tenantId: string, homeTenantId: string): GraphError {
  return new GraphError(
    'graph_token_refused',
    `Cannot get a token for tenant ${tenantId}: a managed identity has tokens of its home tenant ${homeTenantId} only, got another`,
    {},
    {
      fix: 'Join only meetings of the home tenant, or let an app registration trust the identity: GRAPH_FEDERATED_IDENTITY.',
    },
  );
}

/** A file of a federated token that can't be read. */
export function tokenFileError(tenantId: string, path: string, cause: unknown): GraphError {
  const code = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : '';
  return new GraphError(
    'graph_token_unavailable',
    `Cannot get a token for tenant ${tenantId}: the file of the federated token must hold one, got none${code}`,
    {},
    { cause, fix: `Check that ${path} exists, and that who renews it does so.` },
  );
}

function actionOf({ tenantId }: TokenRequest): string {
  return tenantId === undefined
    ? 'Cannot get a token of the managed identity'
    : `Cannot get a token for tenant ${tenantId}`;
}

function fixOf({ giver }: TokenRequest, fault: TokenFault | undefined): string {
  if (giver === 'the managed identity') {
    return 'Give this machine the identity, and check its client id.';
  }
  const aadsts = fault?.kind === 'refusal' ? fault.aadsts : undefined;
  return FIXES.get(aadsts ?? 0) ?? CHECK_ALL;
}

function noAnswer(
  asked: TokenRequest,
  { connection }: Extract<TokenFault, { kind: 'noAnswer' }>,
  cause: unknown,
): GraphError {
  const got = connection.timedOut ? 'no answer in time' : 'no connection';
  const code = connection.code === undefined ? '' : ` (${connection.code})`;
  return new GraphError(
    'graph_token_unavailable',
    `${actionOf(asked)}: ${asked.giver} must be reachable, got ${got}${code}`,
    {},
    {
      cause,
      fix:
        asked.giver === 'Entra ID'
          ? 'Check GRAPH_AUTHORITY_URL, the network, and the trusted certificates.'
          : 'Give this machine an identity: nobody answers where its tokens should come from.',
    },
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
