import { ConfidentialClientApplication } from '@azure/msal-node';
import type { GraphEndpoints } from './endpoints.js';
import { graphScope } from './endpoints.js';
import { GraphError } from './graph-error.js';

/** Entra ID's authorities, which msal knows; any other host must be named to it as trusted. */
const MICROSOFT_AUTHORITIES: ReadonlySet<string> = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
]);

export interface GraphTokensOptions {
  readonly endpoints: GraphEndpoints;
  /** Application (client) id of the bot's app registration. */
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * App-only access tokens for Graph, by the client credentials grant. One msal client, and so one
 * token cache, for each tenant: a token must be of the meeting's tenant.
 */
export class GraphTokens {
  readonly #options: GraphTokensOptions;
  readonly #clients = new Map<string, ConfidentialClientApplication>();

  constructor(options: GraphTokensOptions) {
    this.#options = options;
  }

  /**
   * The cached token of a tenant, or a fresh one.
   *
   * @throws GraphError `graph_token_refused`; its message holds no credential.
   */
  async token(tenantId: string): Promise<string> {
    const scopes = [graphScope(this.#options.endpoints)];
    try {
      const result = await this.#client(tenantId).acquireTokenByClientCredential({ scopes });
      if (result !== null) return result.accessToken;
    } catch (cause) {
      const fault = cause instanceof Error ? cause : undefined;
      throw refused(
        tenantId,
        aadNumber(fault?.message) ?? fault?.name ?? 'an unknown failure',
        cause,
      );
    }
    throw refused(tenantId, 'none', undefined);
  }

  #client(tenantId: string): ConfidentialClientApplication {
    const known = this.#clients.get(tenantId);
    if (known !== undefined) return known;
    const { endpoints, clientId, clientSecret } = this.#options;
    const { host } = new URL(endpoints.authorityBaseUrl);
    const client = new ConfidentialClientApplication({
      auth: {
        clientId,
        clientSecret,
        authority: `${endpoints.authorityBaseUrl}/${encodeURIComponent(tenantId)}`,
        knownAuthorities: MICROSOFT_AUTHORITIES.has(host) ? [] : [host],
      },
    });
    this.#clients.set(tenantId, client);
    return client;
  }
}

/** Entra ID's error number, such as `AADSTS7000215`: what an operator can look up. */
function aadNumber(message: string | undefined): string | undefined {
  return /AADSTS\d+/.exec(message ?? '')?.[0];
}

function refused(tenantId: string, actual: string, cause: unknown): GraphError {
  return new GraphError(
    'graph_token_refused',
    `Cannot get a token for tenant ${tenantId}: Entra ID must grant one, got ${actual}`,
    {},
    {
      cause,
      fix: 'Check GRAPH_CLIENT_ID, GRAPH_CLIENT_SECRET and admin consent in that tenant.',
    },
  );
}
