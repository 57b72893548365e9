import { ConfidentialClientApplication } from '@azure/msal-node';
import type { GraphEndpoints } from './endpoints.js';
import { graphScope } from './endpoints.js';
import { tokenError } from './token-error.js';
import { TokenNetwork } from './token-network.js';

/** Entra ID's authorities, which msal knows; any other host must be named to it as trusted. */
const MICROSOFT_AUTHORITIES: ReadonlySet<string> = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
]);

const DEFAULT_TIMEOUT_MS = 10_000;
/** Tenants beyond this many push out the one not used for longest. */
const MAX_TENANTS = 1_000;

export interface GraphTokensOptions {
  readonly endpoints: GraphEndpoints;
  /** Application (client) id of the bot's app registration. */
  readonly clientId: string;
  readonly clientSecret: string;
  /** @defaultValue the global `fetch` */
  readonly fetch?: typeof fetch;
  /** How long the authority may take to answer one request. @defaultValue 10 000 */
  readonly timeoutMs?: number;
}

interface Tenant {
  readonly client: ConfidentialClientApplication;
  readonly network: TokenNetwork;
  /** A request under way, shared by all who ask meanwhile. */
  pending: Promise<string> | undefined;
}

/**
 * App-only access tokens for Graph, by the client credentials grant. One msal client, and so one
 * token cache, for each tenant: a token must be of the meeting's tenant.
 */
export class GraphTokens {
  readonly #options: GraphTokensOptions;
  readonly #tenants = new Map<string, Tenant>();

  constructor(options: GraphTokensOptions) {
    this.#options = options;
  }

  /**
   * The cached token of a tenant, or a fresh one; renewed 5 minutes before it expires.
   *
   * @throws GraphError `graph_token_refused` | `graph_token_unavailable`; no credential in it.
   */
  async token(tenantId: string): Promise<string> {
    const tenant = this.#tenant(tenantId);
    tenant.pending ??= this.#acquire(tenantId, tenant).finally(() => {
      tenant.pending = undefined;
    });
    return tenant.pending;
  }

  async #acquire(tenantId: string, { client, network }: Tenant): Promise<string> {
    const scopes = [graphScope(this.#options.endpoints)];
    try {
      const result = await client.acquireTokenByClientCredential({ scopes });
      if (result !== null && result.accessToken !== '') return result.accessToken;
    } catch (cause) {
      throw tokenError(tenantId, network.fault, cause);
    }
    throw tokenError(tenantId, undefined, undefined);
  }

  #tenant(tenantId: string): Tenant {
    const key = tenantId.toLowerCase();
    const tenant = this.#tenants.get(key) ?? this.#open(tenantId);
    this.#tenants.delete(key);
    this.#tenants.set(key, tenant);
    const [oldest] = this.#tenants.keys();
    if (this.#tenants.size > MAX_TENANTS && oldest !== undefined) this.#tenants.delete(oldest);
    return tenant;
  }

  #open(tenantId: string): Tenant {
    const { endpoints, clientId, clientSecret, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const base = endpoints.authorityBaseUrl.replace(/\/+$/, '');
    const { host } = new URL(base);
    const network = new TokenNetwork(this.#options.fetch ?? fetch, timeoutMs);
    const client = new ConfidentialClientApplication({
      auth: {
        clientId,
        clientSecret,
        authority: `${base}/${encodeURIComponent(tenantId)}`,
        knownAuthorities: MICROSOFT_AUTHORITIES.has(host) ? [] : [host],
      },
      system: { networkClient: network },
    });
    return { client, network, pending: undefined };
  }
}
