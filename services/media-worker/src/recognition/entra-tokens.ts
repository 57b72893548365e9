import { CodedError } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { GraphCredential } from '@earshot/graph';
import { GLOBAL_CLOUD, GraphTokens } from '@earshot/graph';
import type { AzureEntraTokens } from '@earshot/recognition';
import type { ProxySettings } from '@earshot/service-process';
import { openProxyFetch } from '@earshot/service-process';
import type { EntraSettings } from './azure-settings.js';

export interface EntraTokens extends AzureEntraTokens {
  close(): Promise<void>;
}

/** A managed identity has tokens of one tenant, whatever it is called. */
const HOME = 'home';

/** Tokens of Entra ID for Azure Speech; those in use are renewed before they expire. */
export function openEntraTokens(settings: EntraSettings, proxies: ProxySettings): EntraTokens {
  const { credential, authorityUrl, resource, resourceId } = settings;
  const outside = openProxyFetch(proxies);
  const tokens = new GraphTokens({
    endpoints: { ...GLOBAL_CLOUD, authorityBaseUrl: authorityUrl },
    clientId: credential.clientId ?? '',
    credential: graphCredential(settings),
    resource,
    clock: systemClock,
    fetch: outside.fetch,
  });
  const tenantId = credential.kind === 'managedIdentity' ? HOME : credential.tenantId;
  return {
    resourceId,
    token: async () => {
      try {
        return await tokens.token(tenantId);
      } catch (cause) {
        const isRefused = cause instanceof CodedError && cause.code === 'graph_token_refused';
        const code = isRefused ? 'recognizer_refused' : 'recognizer_unavailable';
        throw new CodedError(code, 'Cannot recognize: Entra ID must give a token', { cause });
      }
    },
    async close() {
      tokens.close();
      await outside.close();
    },
  };
}

function graphCredential({ credential }: EntraSettings): GraphCredential {
  switch (credential.kind) {
    case 'managedIdentity': {
      const { clientId } = credential;
      const own = clientId === undefined ? {} : { clientId };
      return { kind: 'managedIdentity', homeTenantId: HOME, ...own };
    }
    case 'federatedFile':
      return { kind: 'federatedFile', path: credential.path };
    case 'secret':
      return { kind: 'secret', clientSecret: credential.clientSecret };
  }
}
