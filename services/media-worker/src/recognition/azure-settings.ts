import { CodedError } from '@earshot/async';

export interface AzureSpeechSettings {
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  /** Either this or `entra`. */
  readonly key: string | undefined;
  readonly entra: EntraSettings | undefined;
}

/** Who asks Entra ID for tokens, and what for. */
export interface EntraSettings {
  readonly credential: EntraCredential;
  /** Where Entra ID is. */
  readonly authorityUrl: string;
  /** What tokens are for. */
  readonly resource: string;
  /** Of the Speech resource. */
  readonly resourceId: string | undefined;
}

export type EntraCredential =
  /** Of the machine itself; `clientId` of a user-assigned one. */
  | { readonly kind: 'managedIdentity'; readonly clientId: string | undefined }
  | (AppInTenant & { readonly kind: 'federatedFile'; readonly path: string })
  | (AppInTenant & { readonly kind: 'secret'; readonly clientSecret: string });

interface AppInTenant {
  readonly tenantId: string;
  readonly clientId: string;
}

/** Variables of the environment that set up Azure Speech; those of `AZURE_` are as Azure's own SDKs read them. */
export interface AzureVariables {
  readonly EARSHOT_AZURE_SPEECH_KEY?: string | undefined;
  readonly EARSHOT_AZURE_SPEECH_REGION?: string | undefined;
  readonly EARSHOT_AZURE_SPEECH_ENDPOINT?: string | undefined;
  readonly EARSHOT_AZURE_SPEECH_IDENTITY?: string | undefined;
  readonly EARSHOT_AZURE_SPEECH_RESOURCE_ID?: string | undefined;
  readonly AZURE_TENANT_ID?: string | undefined;
  readonly AZURE_CLIENT_ID?: string | undefined;
  readonly AZURE_CLIENT_SECRET?: string | undefined;
  readonly AZURE_FEDERATED_TOKEN_FILE?: string | undefined;
  readonly AZURE_AUTHORITY_HOST?: string | undefined;
}

/**
 * By the domain of a cloud. Sources: Azure/azure-sdk-for-js, `AzureAuthorityHosts` of `@azure/identity`,
 * `FormRecognizerAudience` of `@azure/ai-form-recognizer`.
 */
const CLOUDS = {
  com: 'https://login.microsoftonline.com',
  us: 'https://login.microsoftonline.us',
  cn: 'https://login.chinacloudapi.cn',
} as const;

/**
 * What the variables say of Azure Speech; undefined when it is not set up.
 *
 * @throws CodedError `invalid_config`, naming what is missing and no value.
 */
export function azureSpeechSettings(env: AzureVariables): AzureSpeechSettings | undefined {
  const {
    EARSHOT_AZURE_SPEECH_KEY: key,
    EARSHOT_AZURE_SPEECH_IDENTITY: identity,
    EARSHOT_AZURE_SPEECH_REGION: region,
    EARSHOT_AZURE_SPEECH_ENDPOINT: endpoint,
    EARSHOT_AZURE_SPEECH_RESOURCE_ID: resourceId,
  } = env;
  if (key === undefined && identity === undefined) return undefined;
  if (key !== undefined && identity !== undefined) {
    throw invalid('EARSHOT_AZURE_SPEECH_KEY must not be set beside EARSHOT_AZURE_SPEECH_IDENTITY');
  }
  const name = key === undefined ? 'EARSHOT_AZURE_SPEECH_IDENTITY' : 'EARSHOT_AZURE_SPEECH_KEY';
  if (region === undefined && endpoint === undefined) {
    throw invalid(
      `${name} must come with EARSHOT_AZURE_SPEECH_REGION or EARSHOT_AZURE_SPEECH_ENDPOINT, got neither`,
    );
  }
  if (identity === undefined) return { region, endpoint, key, entra: undefined };
  if (endpoint === undefined && resourceId === undefined) {
    throw invalid(
      'EARSHOT_AZURE_SPEECH_REGION with EARSHOT_AZURE_SPEECH_IDENTITY must come with EARSHOT_AZURE_SPEECH_RESOURCE_ID',
    );
  }
  const authority = env.AZURE_AUTHORITY_HOST;
  if (authority !== undefined && !/^https:\/\/[\w.-]+(:\d+)?\/?$/.test(authority)) {
    throw invalid('AZURE_AUTHORITY_HOST must be an https URL without a path');
  }
  const cloud = cloudOf(region, endpoint);
  const entra = {
    credential: credentialOf(identity, env),
    authorityUrl: authority ?? CLOUDS[cloud],
    resource: `https://cognitiveservices.azure.${cloud}`,
    resourceId,
  };
  return { region, endpoint, key: undefined, entra };
}

function cloudOf(region: string | undefined, endpoint: string | undefined): keyof typeof CLOUDS {
  const host = endpoint === undefined ? '' : new URL(endpoint).hostname;
  const isIn = (domain: string, prefix: string): boolean =>
    host.endsWith(`.${domain}`) || (region ?? '').toLowerCase().startsWith(prefix);
  if (isIn('azure.us', 'usgov')) return 'us';
  return isIn('azure.cn', 'china') ? 'cn' : 'com';
}

function credentialOf(identity: string, env: AzureVariables): EntraCredential {
  if (identity === 'system') return { kind: 'managedIdentity', clientId: undefined };
  if (identity !== 'environment') return { kind: 'managedIdentity', clientId: identity };
  const {
    AZURE_TENANT_ID: tenantId,
    AZURE_CLIENT_ID: clientId,
    AZURE_FEDERATED_TOKEN_FILE: path,
    AZURE_CLIENT_SECRET: clientSecret,
  } = env;
  const rule = 'EARSHOT_AZURE_SPEECH_IDENTITY of environment must come with';
  if (tenantId === undefined || clientId === undefined) {
    throw invalid(`${rule} AZURE_TENANT_ID and AZURE_CLIENT_ID`);
  }
  if (path !== undefined) return { kind: 'federatedFile', tenantId, clientId, path };
  if (clientSecret !== undefined) return { kind: 'secret', tenantId, clientId, clientSecret };
  throw invalid(`${rule} AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_SECRET`);
}

function invalid(rule: string): CodedError {
  return new CodedError('invalid_config', `Cannot start the media worker: ${rule}`);
}
