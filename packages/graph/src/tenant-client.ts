import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { NodeAuthOptions } from '@azure/msal-node';
import { ConfidentialClientApplication } from '@azure/msal-node';
import type { GraphCredential, ManagedIdentityCredential } from './credential.js';
import type { GraphEndpoints } from './endpoints.js';
import { exchangeAudience, scopeOf } from './endpoints.js';
import { GraphError } from './graph-error.js';
import type { ManagedIdentity } from './managed-identity.js';
import { accessTokenOf } from './msal-result.js';
import type { AccessToken } from './token-cache.js';
import { tokenError, tokenFileError } from './token-error.js';
import { TokenNetwork } from './token-network.js';

/** Entra ID's authorities, which msal knows; any other host must be named to it as trusted. */
const MICROSOFT_AUTHORITIES: ReadonlySet<string> = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
]);

export type AppCredential = Exclude<GraphCredential, ManagedIdentityCredential>;

export interface TenantClientOptions {
  readonly endpoints: GraphEndpoints;
  readonly clientId: string;
  /** What tokens are for. */
  readonly resource: string;
  readonly credential: AppCredential;
  /** Stands for the app when the credential is a federated identity. */
  readonly identity: ManagedIdentity | undefined;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
}

/** The app in one tenant: gets tokens there by the client credentials grant. */
export class TenantClient {
  readonly #tenantId: string;
  readonly #scopes: string[];
  readonly #network: TokenNetwork;
  readonly #client: ConfidentialClientApplication;

  constructor(tenantId: string, options: TenantClientOptions) {
    const { endpoints, clientId } = options;
    const base = endpoints.authorityBaseUrl.replace(/\/+$/, '');
    const { host } = new URL(base);
    this.#tenantId = tenantId;
    this.#scopes = [scopeOf(options.resource)];
    this.#network = new TokenNetwork(options.fetch, options.timeoutMs);
    this.#client = new ConfidentialClientApplication({
      auth: {
        clientId,
        ...proofOf(tenantId, options),
        authority: `${base}/${encodeURIComponent(tenantId)}`,
        knownAuthorities: MICROSOFT_AUTHORITIES.has(host) ? [] : [host],
      },
      system: { networkClient: this.#network },
    });
  }

  /** A new token. @throws GraphError `graph_token_refused` | `graph_token_unavailable`. */
  async token(): Promise<AccessToken> {
    const asked = { giver: 'Entra ID', tenantId: this.#tenantId } as const;
    try {
      const result = await this.#client.acquireTokenByClientCredential({
        scopes: this.#scopes,
        skipCache: true,
      });
      const token = accessTokenOf(result);
      if (token !== undefined) return token;
    } catch (cause) {
      if (cause instanceof GraphError) throw cause;
      throw tokenError(asked, this.#network.fault, cause);
    }
    throw tokenError(asked, undefined, undefined);
  }
}

type Proof = Pick<NodeAuthOptions, 'clientSecret' | 'clientCertificate' | 'clientAssertion'>;

function proofOf(
  tenantId: string,
  { credential, identity, endpoints }: TenantClientOptions,
): Proof {
  switch (credential.kind) {
    case 'secret':
      return { clientSecret: credential.clientSecret };
    case 'certificate': {
      const { certificate, privateKey, sendChain = false } = credential;
      const { fingerprint256 } = new X509Certificate(certificate);
      const thumbprintSha256 = fingerprint256.replaceAll(':', '');
      const x5c = sendChain ? { x5c: certificate } : {};
      return { clientCertificate: { thumbprintSha256, privateKey, ...x5c } };
    }
    case 'federatedFile':
      return { clientAssertion: () => readToken(tenantId, credential.path) };
    case 'federatedIdentity':
      return {
        clientAssertion: async () => {
          if (identity === undefined) throw new Error('a federated identity must be given');
          return (await identity.token(exchangeAudience(endpoints))).token;
        },
      };
  }
}

/** Read each time: whoever renews it replaces the file. */
async function readToken(tenantId: string, path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw tokenFileError(tenantId, path, cause);
  });
  if (text.trim() === '') throw tokenFileError(tenantId, path, undefined);
  return text.trim();
}
