/** Where one Microsoft cloud, or a sandbox in its place, is reached. All without a trailing slash. */
export interface GraphEndpoints {
  /** Base of Graph with its version, such as `https://graph.microsoft.com/v1.0`. */
  readonly graphBaseUrl: string;
  /** Base of token authorities, such as `https://login.microsoftonline.com`. */
  readonly authorityBaseUrl: string;
  /** OpenID metadata of those who sign callbacks; not Entra ID's. */
  readonly callbackOpenIdUrl: string;
  /** Issuers accepted in callback tokens. */
  readonly callbackIssuers: readonly string[];
}

/** The worldwide public cloud; GCC uses it too. */
export const GLOBAL_CLOUD: GraphEndpoints = {
  graphBaseUrl: 'https://graph.microsoft.com/v1.0',
  authorityBaseUrl: 'https://login.microsoftonline.com',
  callbackOpenIdUrl: 'https://api.aps.skype.com/v1/.well-known/OpenIdConfiguration',
  callbackIssuers: ['https://api.botframework.com', 'https://graph.microsoft.com'],
};

const GRAPH_HOSTS: ReadonlySet<string> = new Set([
  'graph.microsoft.com',
  'graph.microsoft.us',
  'dod-graph.microsoft.us',
]);

/** The scope of a token for Graph's calls; a sandbox takes that of the public cloud. */
export function graphScope({ graphBaseUrl }: GraphEndpoints): string {
  const { host, origin } = new URL(graphBaseUrl);
  return `${GRAPH_HOSTS.has(host) ? origin : 'https://graph.microsoft.com'}/.default`;
}
