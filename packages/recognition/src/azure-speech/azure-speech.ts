import { CodedError } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { Recognizer } from '../recognizer.js';
import type { DialectSession, StreamDialect } from '../remote/stream-dialect.js';
import type { StreamingOptions } from '../remote/streaming-recognizer.js';
import { streamingRecognizer } from '../remote/streaming-recognizer.js';
import { webSocketUrl } from '../remote/web-socket-url.js';
import { AzureConnection, uspId } from './azure-connection.js';
import { ENGINE } from './azure-results.js';

const PATH = '/speech/recognition/conversation/cognitiveservices/v1';

export interface AzureSpeechOptions extends StreamingOptions {
  /** Such as `westeurope`; not needed with `endpoint`. */
  readonly region?: string | undefined;
  /** Of a resource with an address of its own, or of a container. */
  readonly endpoint?: string | undefined;
  readonly key: string;
}

/**
 * Dictation by Azure AI Speech, by the protocol of its SDKs.
 *
 * Wire format: microsoft/cognitive-services-speech-sdk-js `src/common.speech` (SpeechConnectionFactory:
 * address and query; CognitiveSubscriptionKeyAuthentication: key; see AzureConnection for messages).
 *
 * @throws CodedError `invalid_url`, `invalid_region`.
 */
export function createAzureSpeech(options: AzureSpeechOptions): Recognizer {
  const { clock = systemClock } = options;
  const base = webSocketUrl(options.endpoint ?? endpointOf(options.region ?? ''));
  const dialect: StreamDialect = {
    engine: ENGINE,
    address: (session) => ({
      url: addressOf(base, session),
      headers: { 'Ocp-Apim-Subscription-Key': options.key, 'X-ConnectionId': uspId() },
    }),
    begin: (session, output) => new AzureConnection(session, output, clock),
  };
  return streamingRecognizer(dialect, options);
}

function addressOf(base: URL, { language }: DialectSession): string {
  const url = new URL(base);
  if (url.pathname === '/') url.pathname = PATH;
  url.searchParams.set('language', language);
  url.searchParams.set('format', 'detailed');
  url.searchParams.set('wordLevelTimestamps', 'true');
  return url.href;
}

function endpointOf(region: string): string {
  if (!/^[a-z0-9]{1,40}$/i.test(region)) {
    const rule = 'Cannot use Azure Speech: its region must be letters and digits';
    throw new CodedError('invalid_region', rule, { fix: 'Give a region such as westeurope.' });
  }
  return `wss://${region}.stt.speech${domainOf(region.toLowerCase())}`;
}

/** As `ConnectionFactoryBase.getHostSuffix` of the SDK. */
function domainOf(region: string): string {
  if (region.startsWith('china')) return '.azure.cn';
  return region.startsWith('usgov') ? '.azure.us' : '.microsoft.com';
}
