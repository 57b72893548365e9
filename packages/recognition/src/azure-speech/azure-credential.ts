import { CodedError } from '@earshot/async';
import { vendorKey } from '../vendor-key.js';
import { ENGINE } from './azure-results.js';

/** Tokens of Microsoft Entra ID in place of a key. */
export interface AzureEntraTokens {
  /**
   * A token for Azure's AI services (`https://cognitiveservices.azure.com`), with which a connection can be
   * opened now.
   *
   * @throws CodedError `recognizer_refused` when none will be given, anything else when none can be.
   */
  token(): Promise<string>;
  /**
   * Resource id of the Speech resource, `/subscriptions/…/accounts/…`; needed with a region. With an
   * endpoint of its own name the resource is known by that.
   */
  readonly resourceId?: string | undefined;
}

export interface AzureCredentialOptions {
  /** Either this or `entra`. */
  readonly key?: string | undefined;
  readonly entra?: AzureEntraTokens | undefined;
}

const RESOURCE_ID =
  /^\/subscriptions\/[\w-]+\/resourceGroups\/[\w.()-]+\/providers\/Microsoft\.CognitiveServices\/accounts\/[\w.-]+$/i;

/** Of all resources of a region. */
const REGIONAL = /\.stt\.speech\.(microsoft\.com|azure\.(us|cn))$/;

/**
 * The header that says who we are, for each connection.
 *
 * Sources: a key, `CognitiveSubscriptionKeyAuthentication.ts` of the SDK. A token alone, with an endpoint of
 * its own name: `Recognizer.getAuth` (TokenCredential) and `CognitiveTokenAuthentication.ts`
 * (`Authorization: Bearer <token>`) of microsoft/cognitive-services-speech-sdk-js 1.52. `aad#<resource id>#<token>` in its place,
 * with a region: learn.microsoft.com, "Microsoft Entra authentication with the Speech SDK".
 *
 * @throws CodedError `invalid_key`, `invalid_resource_id`; neither shows one.
 */
export function azureCredential(
  { key, entra }: AzureCredentialOptions,
  service: URL,
): () => Promise<Readonly<Record<string, string>>> {
  if ((key === undefined) === (entra === undefined)) {
    const rule = `Cannot use ${ENGINE}: it must have a key or tokens of Entra ID, got both or none`;
    throw new CodedError('invalid_key', rule);
  }
  if (entra === undefined) {
    const header = { 'Ocp-Apim-Subscription-Key': vendorKey(ENGINE, key ?? '') };
    return () => Promise.resolve(header);
  }
  const { resourceId } = entra;
  if (resourceId === undefined ? REGIONAL.test(service.hostname) : !RESOURCE_ID.test(resourceId)) {
    const rule = `Cannot use ${ENGINE}: with tokens of Entra ID it must have its resource id, or an endpoint of its own name`;
    throw new CodedError('invalid_resource_id', rule, {
      fix: 'Copy the resource id from the properties of the Speech resource.',
    });
  }
  const of = resourceId === undefined ? '' : `aad#${resourceId}#`;
  return async () => ({ Authorization: `Bearer ${of}${vendorKey(ENGINE, await entra.token())}` });
}
