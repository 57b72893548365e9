import { ManagedIdentityApplication } from '@azure/msal-node';
import { accessTokenOf } from './msal-result.js';
import type { AccessToken } from './token-cache.js';
import { tokenError } from './token-error.js';
import { TokenNetwork } from './token-network.js';

export interface ManagedIdentityOptions {
  /** Client id of a user-assigned identity; absent for that of the system. */
  readonly clientId: string | undefined;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
}

/** msal keeps the place that it found, and the first network, for the whole process. */
let sharedNetwork: TokenNetwork | undefined;

/**
 * Tokens of the machine's own identity. Where they come from msal finds in the environment
 * (`IDENTITY_ENDPOINT` and others of Azure's hosts), else it asks the instance metadata service.
 */
export class ManagedIdentity {
  readonly #application: ManagedIdentityApplication;
  readonly #network: TokenNetwork;

  constructor({ clientId, fetch: fetchFunction, timeoutMs }: ManagedIdentityOptions) {
    sharedNetwork ??= new TokenNetwork(fetchFunction, timeoutMs);
    this.#network = sharedNetwork;
    this.#application = new ManagedIdentityApplication({
      ...(clientId === undefined
        ? {}
        : { managedIdentityIdParams: { userAssignedClientId: clientId } }),
      system: { networkClient: this.#network },
    });
  }

  /** @throws GraphError `graph_token_refused` | `graph_token_unavailable`. */
  async token(resource: string): Promise<AccessToken> {
    const asked = { giver: 'the managed identity', tenantId: undefined } as const;
    try {
      const result = await this.#application.acquireToken({ resource, forceRefresh: true });
      const token = accessTokenOf(result);
      if (token !== undefined) return token;
    } catch (cause) {
      throw tokenError(asked, this.#network.fault, cause);
    }
    throw tokenError(asked, undefined, undefined);
  }
}
