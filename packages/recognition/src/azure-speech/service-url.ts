import { CodedError } from '@earshot/async';
import { webSocketUrl } from '../remote/web-socket-url.js';

const PATH = '/speech/recognition/conversation/cognitiveservices/v1';

/** A resource with a name of its own serves all kinds of AI, each under a prefix. */
const OWN_NAME = /\.(cognitiveservices|services\.ai)\.azure\.(com|us|cn)$/;
const OWN_NAME_PREFIX = '/stt';

/** What the portal shows of a resource without one: it gives out tokens, and recognizes nothing. */
const REGIONAL_API = /^([a-z0-9]+)\.api\.cognitive\./;

/**
 * Where Azure Speech is asked, without the query. An endpoint with a path is taken as it is.
 *
 * Source: microsoft/cognitive-services-speech-sdk-js `SpeechConnectionFactory.ts`; learn.microsoft.com,
 * "Use Speech service through a private endpoint".
 *
 * @throws CodedError `invalid_url`, `invalid_region`.
 */
export function serviceUrl(of: {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
}): URL {
  const url = webSocketUrl(of.endpoint ?? endpointOf(of.region ?? ''));
  const region = REGIONAL_API.exec(url.hostname)?.[1];
  if (region !== undefined) url.host = new URL(endpointOf(region)).host;
  if (url.pathname === '/') {
    url.pathname = OWN_NAME.test(url.hostname) ? OWN_NAME_PREFIX + PATH : PATH;
  }
  return url;
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
