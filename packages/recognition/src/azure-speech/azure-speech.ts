import { systemClock } from '@earshot/async/system';
import type { Recognizer } from '../recognizer.js';
import type { DialectSession, StreamDialect } from '../remote/stream-dialect.js';
import type { StreamingOptions } from '../remote/streaming-recognizer.js';
import { streamingRecognizer } from '../remote/streaming-recognizer.js';
import { AzureConnection, uspId } from './azure-connection.js';
import type { AzureCredentialOptions } from './azure-credential.js';
import { azureCredential } from './azure-credential.js';
import { ENGINE } from './azure-results.js';
import { serviceUrl } from './service-url.js';

export interface AzureSpeechOptions extends StreamingOptions, AzureCredentialOptions {
  /** Such as `westeurope`; not needed with `endpoint`. */
  readonly region?: string | undefined;
  /** As the portal shows it, also of a resource with a name of its own; or of a container. */
  readonly endpoint?: string | undefined;
}

/**
 * Dictation by Azure AI Speech, by the protocol of its SDKs.
 *
 * Wire format: microsoft/cognitive-services-speech-sdk-js `src/common.speech` (SpeechConnectionFactory:
 * query; see azureCredential for credentials, serviceUrl for addresses, AzureConnection for messages).
 *
 * @throws CodedError `invalid_url`, `invalid_region`, `invalid_key`, `invalid_resource_id`.
 */
export function createAzureSpeech(options: AzureSpeechOptions): Recognizer {
  const { clock = systemClock } = options;
  const base = serviceUrl(options);
  const credential = azureCredential(options, base);
  const dialect: StreamDialect = {
    engine: ENGINE,
    address: async (session) => ({
      url: addressOf(base, session),
      headers: { ...(await credential()), 'X-ConnectionId': uspId() },
    }),
    begin: (session, output) => new AzureConnection(session, output, clock),
  };
  return streamingRecognizer(dialect, options);
}

function addressOf(base: URL, { language, endpointMs }: DialectSession): string {
  const url = new URL(base);
  url.searchParams.set('language', language);
  url.searchParams.set('format', 'detailed');
  url.searchParams.set('segmentationSilenceTimeoutMs', String(endpointMs));
  url.searchParams.set('wordLevelTimestamps', 'true');
  return url.href;
}
