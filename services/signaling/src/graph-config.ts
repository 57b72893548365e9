import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type {
  CertificateCredential,
  CloudName,
  GraphCredential,
  GraphEndpoints,
} from '@earshot/graph';
import { CLOUDS } from '@earshot/graph';
import { z } from 'zod';
import { splitList } from './split-list.js';

const CLOUD_NAMES = ['global', 'usGovL4', 'usGovL5'] as const;
const NO_CALLS_IN_CHINA =
  'must not be china: the cloud of 21Vianet has no calls API, in no version of Graph';

const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const urls = z
  .string()
  .transform(splitList)
  .pipe(z.array(url).min(1, 'must name at least one URL'));
const issuers = z
  .string()
  .transform(splitList)
  .refine((list) => list.length > 0, 'must name at least one issuer');

/** What the variables say of where Graph is. */
export interface GraphVariables {
  readonly GRAPH_CLOUD: CloudName;
  readonly GRAPH_BASE_URL?: string | undefined;
  readonly GRAPH_AUTHORITY_URL?: string | undefined;
  readonly GRAPH_CALLBACK_OPENID_URL?: readonly string[] | undefined;
  readonly GRAPH_CALLBACK_ISSUERS?: readonly string[] | undefined;
}

/** Checks `GraphVariables`. */
export const graphVariables: {
  readonly [Name in keyof GraphVariables]-?: z.ZodType<GraphVariables[Name]>;
} = {
  GRAPH_CLOUD: z
    .string()
    .refine((name) => name !== 'china', { error: NO_CALLS_IN_CHINA, abort: true })
    .pipe(z.enum(CLOUD_NAMES, `must be one of ${CLOUD_NAMES.join(', ')}`))
    .default('global'),
  GRAPH_BASE_URL: url.optional(),
  GRAPH_AUTHORITY_URL: url.optional(),
  GRAPH_CALLBACK_OPENID_URL: urls.optional(),
  GRAPH_CALLBACK_ISSUERS: issuers.optional(),
};

/** The cloud, with what was set in place of its own. */
export function endpointsOf(data: GraphVariables): GraphEndpoints {
  const cloud = CLOUDS[data.GRAPH_CLOUD];
  return {
    graphBaseUrl: data.GRAPH_BASE_URL ?? cloud.graphBaseUrl,
    authorityBaseUrl: data.GRAPH_AUTHORITY_URL ?? cloud.authorityBaseUrl,
    callbackOpenIdUrls: data.GRAPH_CALLBACK_OPENID_URL ?? cloud.callbackOpenIdUrls,
    callbackIssuers: data.GRAPH_CALLBACK_ISSUERS ?? cloud.callbackIssuers,
  };
}

type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: string[] };
type Variables = Readonly<Record<string, string | undefined>>;

/** By the variable that chooses it, how a credential is read. */
const CREDENTIALS: Readonly<
  Record<string, (value: string, set: Variables) => Read<GraphCredential>>
> = {
  GRAPH_CLIENT_SECRET: (clientSecret) => ({ ok: true, value: { kind: 'secret', clientSecret } }),
  GRAPH_CERTIFICATE_FILE: readCertificate,
  GRAPH_MANAGED_IDENTITY: readManagedIdentity,
  GRAPH_FEDERATED_TOKEN_FILE: (path) => ({ ok: true, value: { kind: 'federatedFile', path } }),
  GRAPH_FEDERATED_IDENTITY: (clientId) => ({
    ok: true,
    value: { kind: 'federatedIdentity', clientId },
  }),
};

/**
 * How the app shows who it is: exactly one way. Where none is set, the file of Azure's workload
 * identity on Kubernetes is. No fault shows a secret.
 *
 * @param set the environment, without empty variables.
 */
export function readCredential(set: Variables): Read<GraphCredential> {
  const names = Object.keys(CREDENTIALS).filter((name) => set[name] !== undefined);
  const [name] = names;
  const workload = set['AZURE_FEDERATED_TOKEN_FILE'];
  if (name === undefined && workload !== undefined) {
    return { ok: true, value: { kind: 'federatedFile', path: workload } };
  }
  const read = name === undefined ? undefined : CREDENTIALS[name];
  if (names.length !== 1 || name === undefined || read === undefined) {
    const all = Object.keys(CREDENTIALS).join(', ');
    const got = names.join(' and ') || 'none';
    return { ok: false, faults: [`exactly one of ${all} must be set, got ${got}`] };
  }
  return read(set[name] ?? '', set);
}

function readManagedIdentity(value: string, set: Variables): Read<GraphCredential> {
  const homeTenantId = set['GRAPH_TENANT_ID'];
  if (homeTenantId === undefined) {
    const rule =
      'must be set to the home tenant of the identity, the only one that it has tokens of';
    return { ok: false, faults: [`GRAPH_TENANT_ID ${rule}, got nothing`] };
  }
  const own = value === 'system' ? {} : { clientId: value };
  return { ok: true, value: { kind: 'managedIdentity', homeTenantId, ...own } };
}

/** Key and certificate may be in one file. */
function readCertificate(path: string, set: Variables): Read<GraphCredential> {
  const keyPath = set['GRAPH_CERTIFICATE_KEY_FILE'] ?? path;
  const sendChain = set['GRAPH_CERTIFICATE_SEND_CHAIN'] ?? 'false';
  if (sendChain !== 'true' && sendChain !== 'false') {
    const fault = `GRAPH_CERTIFICATE_SEND_CHAIN must be true or false, got ${sendChain}`;
    return { ok: false, faults: [fault] };
  }
  try {
    const certificate = readFileSync(path, 'utf8');
    const privateKey = keyOf(readFileSync(keyPath, 'utf8'));
    const fault = faultOfPair(certificate, privateKey);
    const value: CertificateCredential = {
      kind: 'certificate',
      certificate: certificatesOf(certificate),
      privateKey,
      sendChain: sendChain === 'true',
    };
    if (fault === undefined) return { ok: true, value };
    return { ok: false, faults: [`GRAPH_CERTIFICATE_FILE ${fault}`] };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : 'another file';
    const rule =
      'must name a PEM file with a certificate, and GRAPH_CERTIFICATE_KEY_FILE one with its key';
    return { ok: false, faults: [`GRAPH_CERTIFICATE_FILE ${rule}, got ${path} (${code})`] };
  }
}

function faultOfPair(certificate: string, privateKey: string): string | undefined {
  const parsed = new X509Certificate(certificate);
  const key = createPrivateKey(privateKey);
  if (key.asymmetricKeyType !== 'rsa') {
    return `must be of an RSA key, got ${key.asymmetricKeyType}`;
  }
  if (!parsed.checkPrivateKey(key)) return 'must be that of the key, got another';
  const isOver = Date.parse(parsed.validTo) < Date.now();
  return isOver ? `must be valid, got one that expired on ${parsed.validTo}` : undefined;
}

function keyOf(pem: string): string {
  return (
    /-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----/s.exec(pem)?.[0] ?? pem
  );
}

/** Without the key, which would be sent with the chain. */
function certificatesOf(pem: string): string {
  const all = pem.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  return `${all.join('\n')}\n`;
}
