import type { Clock } from '@earshot/async';
import type { GraphCredential, ManagedIdentityCredential } from './credential.js';
import type { GraphEndpoints } from './endpoints.js';
import { graphResource } from './endpoints.js';
import { ManagedIdentity } from './managed-identity.js';
import { TenantClient } from './tenant-client.js';
import type { AccessToken } from './token-cache.js';
import { TokenCache } from './token-cache.js';
import { foreignTenant } from './token-error.js';

const DEFAULT_TIMEOUT_MS = 10_000;
/** Tenants beyond this many push out the one not used for longest. */
const MAX_TENANTS = 1_000;

export interface GraphTokensOptions {
  readonly endpoints: GraphEndpoints;
  /** Application (client) id of the bot's app registration. */
  readonly clientId: string;
  readonly credential: GraphCredential;
  /** What tokens are for, such as `https://cognitiveservices.azure.com`. @defaultValue Graph */
  readonly resource?: string;
  /** A token could not be renewed before it expires; that is tried again. */
  onRenewalFailed?(tenantId: string, error: unknown): void;
  readonly clock: Clock;
  /** A number in [0, 1). @defaultValue `Math.random` */
  readonly random?: () => number;
  /** @defaultValue the global `fetch` */
  readonly fetch?: typeof fetch;
  /** How long the authority may take to answer one request. @defaultValue 10 000 */
  readonly timeoutMs?: number;
}

/**
 * App-only access tokens for Graph, or another resource, one for each tenant: a token must be of the
 * meeting's tenant.
 * Those of tenants in use are renewed before they expire.
 */
export class GraphTokens {
  readonly #cache: TokenCache;

  constructor(options: GraphTokensOptions) {
    const { clock, random = Math.random } = options;
    this.#cache = new TokenCache({
      acquire: acquirerOf(options),
      onRenewalFailed: (tenantId, error) => options.onRenewalFailed?.(tenantId, error),
      clock,
      random,
      maxTenants: MAX_TENANTS,
    });
  }

  /**
   * The token of a tenant: the one at hand, or a new one.
   *
   * @throws GraphError `graph_token_refused` | `graph_token_unavailable`; no credential in it.
   */
  token(tenantId: string): Promise<string> {
    return this.#cache.token(tenantId);
  }

  /** Renews nothing any more. */
  close(): void {
    this.#cache.close();
  }
}

type Acquire = (tenantId: string) => Promise<AccessToken>;

function acquirerOf({ credential, ...options }: GraphTokensOptions): Acquire {
  const { resource = graphResource(options.endpoints) } = options;
  const reach = {
    fetch: options.fetch ?? fetch,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  };
  if (credential.kind === 'managedIdentity') {
    const identity = new ManagedIdentity({ clientId: credential.clientId, ...reach });
    return homeOnly(credential, () => identity.token(resource));
  }
  const identity =
    credential.kind === 'federatedIdentity'
      ? new ManagedIdentity({ clientId: credential.clientId, ...reach })
      : undefined;
  const clients = new Map<string, TenantClient>();
  return (tenantId) => {
    const key = tenantId.toLowerCase();
    const client =
      clients.get(key) ??
      new TenantClient(tenantId, { ...options, ...reach, resource, credential, identity });
    clients.delete(key);
    clients.set(key, client);
    const [oldest] = clients.keys();
    if (clients.size > MAX_TENANTS && oldest !== undefined) clients.delete(oldest);
    return client.token();
  };
}

function homeOnly(
  { homeTenantId }: ManagedIdentityCredential,
  token: () => Promise<AccessToken>,
): Acquire {
  return async (tenantId) => {
    if (tenantId.toLowerCase() !== homeTenantId.toLowerCase()) {
      throw foreignTenant(tenantId, homeTenantId);
    }
    return token();
  };
}
