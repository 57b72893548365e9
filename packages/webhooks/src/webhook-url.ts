import { CodedError } from '@earshot/async';
import type { AddressRules } from './address-rules.js';
import { isLoopbackHost } from './address-rules.js';

const MAX_URL_CHARACTERS = 2_048;

/**
 * Checks where a webhook is to go.
 *
 * @throws CodedError `invalid_webhook_url`, `address_not_allowed`.
 */
export function checkWebhookUrl(
  text: string,
  { addresses, allowHttp }: { addresses: AddressRules; allowHttp: boolean },
): string {
  if (text.length > MAX_URL_CHARACTERS || !URL.canParse(text)) throw invalid('be a URL');
  const url = new URL(text);
  const mayBeHttp = allowHttp || isLoopbackHost(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && mayBeHttp)) {
    throw invalid('begin with https:, or with http: for this machine');
  }
  if (url.username !== '' || url.password !== '') throw invalid('hold no name and password');
  if (url.hash !== '') throw invalid('have no fragment');
  addresses.checkHost(url);
  return url.href;
}

/** The URL is not repeated: its path is often a secret. */
function invalid(rule: string): CodedError {
  return new CodedError(
    'invalid_webhook_url',
    `Cannot use the webhook's URL: it must ${rule}, got another`,
  );
}
