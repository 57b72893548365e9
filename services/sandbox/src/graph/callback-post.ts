import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

const REQUEST_TIMEOUT_MS = 10_000;

export interface CallbackPost {
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** What a callback says of itself. */
export interface CallbackFacts {
  readonly token: string;
  readonly chainId: string;
  readonly messageId: string;
  readonly scenarioId: string;
}

/** The headers that Graph's callbacks were seen with. */
export function callbackHeaders(facts: CallbackFacts): Record<string, string> {
  return {
    authorization: `Bearer ${facts.token}`,
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'Microsoft-Skype/3.0,(Calling/1.0)',
    'x-microsoft-skype-chain-id': facts.chainId,
    'x-microsoft-skype-message-id': facts.messageId,
    'scenario-id': facts.scenarioId,
    'ms-teams-ring': 'general',
    'ms-teams-partition': 'sandbox01',
    'ms-teams-region': 'sandbox',
  };
}

/** Posts a callback. The HTTP status; undefined when there was no answer. */
export async function postCallback({
  uri,
  headers,
  body,
  signal,
}: CallbackPost): Promise<number | undefined> {
  try {
    const response = await fetch(uri, {
      method: 'POST',
      redirect: 'manual',
      headers,
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return undefined;
  }
}

/** Sends half of a callback and closes the connection. */
export function cutCallback({ uri, headers, body, signal }: CallbackPost): Promise<void> {
  const request = uri.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const length = Buffer.byteLength(body);
    const sent = request(uri, {
      method: 'POST',
      headers: { ...headers, 'content-length': length },
      signal,
      timeout: REQUEST_TIMEOUT_MS,
    });
    sent.on('error', () => resolve());
    sent.on('close', () => resolve());
    sent.on('timeout', () => sent.destroy());
    sent.write(Buffer.from(body).subarray(0, length >> 1), () => sent.destroy());
  });
}
