/** Where one Microsoft cloud, or a sandbox in its place, is reached. All without a trailing slash. */
export interface GraphEndpoints {
  /** Base of Graph with its version, such as `https://graph.microsoft.com/v1.0`. */
  readonly graphBaseUrl: string;
  /** Base of token authorities, such as `https://login.microsoftonline.com`. */
  readonly authorityBaseUrl: string;
  /** OpenID metadata of those who sign callbacks, at least one; not Entra ID's. */
  readonly callbackOpenIdUrls: readonly string[];
  /** Issuers accepted in callback tokens. */
  readonly callbackIssuers: readonly string[];
}

const GLOBAL_SIGNER = 'https://api.aps.skype.com/v1/.well-known/OpenIdConfiguration';
const GLOBAL_ISSUERS = ['https://api.botframework.com', 'https://graph.microsoft.com'];

/** The worldwide public cloud; GCC uses it too. */
export const GLOBAL_CLOUD: GraphEndpoints = {
  graphBaseUrl: 'https://graph.microsoft.com/v1.0',
  authorityBaseUrl: 'https://login.microsoftonline.com',
  callbackOpenIdUrls: [GLOBAL_SIGNER],
  callbackIssuers: GLOBAL_ISSUERS,
};

/** Clouds with a calls API, by the names of Graph's documentation; China's has none. */
export type CloudName = 'global' | 'usGovL4' | 'usGovL5';

/** Each cloud; L4 is GCC High, L5 is DoD. */
export const CLOUDS: Readonly<Record<CloudName, GraphEndpoints>> = {
  global: GLOBAL_CLOUD,
  usGovL4: usGovernment('https://graph.microsoft.us/v1.0'),
  usGovL5: usGovernment('https://dod-graph.microsoft.us/v1.0'),
};

/** Callbacks of government clouds were seen with the public signer, so both are accepted. */
function usGovernment(graphBaseUrl: string): GraphEndpoints {
  return {
    graphBaseUrl,
    authorityBaseUrl: 'https://login.microsoftonline.us',
    callbackOpenIdUrls: [
      'https://apigcch.botframework.azure.us/v1/.well-known/OpenIdConfiguration',
      'https://login.botframework.azure.us/v1/.well-known/openidconfiguration',
      GLOBAL_SIGNER,
    ],
    callbackIssuers: [
      'https://api.botframework.us',
      'https://graph.microsoft.us',
      ...GLOBAL_ISSUERS,
    ],
  };
}

const GRAPH_HOSTS: ReadonlySet<string> = new Set([
  'graph.microsoft.com',
  'graph.microsoft.us',
  'dod-graph.microsoft.us',
]);

/** What a token for Graph's calls is for; a sandbox takes that of the public cloud. */
export function graphResource({ graphBaseUrl }: GraphEndpoints): string {
  const { host, origin } = new URL(graphBaseUrl);
  return GRAPH_HOSTS.has(host) ? origin : 'https://graph.microsoft.com';
}

/** The scope of a token for all that an app may do with a resource. */
export function scopeOf(resource: string): string {
  return `${resource}/.default`;
}

/** What the token of a managed identity must be for to stand for an app registration. */
export function exchangeAudience({ authorityBaseUrl }: GraphEndpoints): string {
  const isGovernment = new URL(authorityBaseUrl).host === 'login.microsoftonline.us';
  return isGovernment ? 'api://AzureADTokenExchangeUSGov' : 'api://AzureADTokenExchange';
}
