import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from '@azure/msal-node';
import type { ConnectionFault } from './connection-fault.js';
import { connectionFault } from './connection-fault.js';
import { jsonField } from './json-field.js';
import { retryAfterMs } from './retry-after.js';

/** The last thing that went wrong between msal and the authority. */
export type TokenFault =
  | { readonly kind: 'noAnswer'; readonly connection: ConnectionFault }
  | {
      readonly kind: 'refusal';
      readonly status: number;
      readonly retryAfterMs: number | undefined;
      /** Entra ID's error number, such as 7000215. */
      readonly aadsts: number | undefined;
    };

/**
 * The requests of one msal client, with a time limit, which msal lacks. Keeps what went wrong:
 * msal reports most of it as `endpoints_resolution_error`.
 */
export class TokenNetwork implements INetworkModule {
  readonly #fetch: typeof fetch;
  readonly #timeoutMs: number;
  /** Cleared by the next success; msal refuses by itself for a while after some failures. */
  fault: TokenFault | undefined;

  constructor(fetchFunction: typeof fetch, timeoutMs: number) {
    this.#fetch = fetchFunction;
    this.#timeoutMs = timeoutMs;
  }

  sendGetRequestAsync<T>(
    url: string,
    options?: NetworkRequestOptions,
  ): Promise<NetworkResponse<T>> {
    return this.#send<T>('GET', url, options);
  }

  sendPostRequestAsync<T>(
    url: string,
    options?: NetworkRequestOptions,
  ): Promise<NetworkResponse<T>> {
    return this.#send<T>('POST', url, options);
  }

  async #send<T>(
    method: string,
    url: string,
    options: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<T>> {
    const { response, text } = await this.#exchange(method, url, options);
    const body = parseJson(text);
    this.fault = response.ok && body !== undefined ? undefined : refusalOf(response, text);
    if (body === undefined) {
      throw new Error(`The authority's answer must be JSON, got another (${response.status})`);
    }
    // What T stands for is only known to msal, which checks the fields it needs.
    return { status: response.status, headers: headersOf(response), body: body as T };
  }

  async #exchange(
    method: string,
    url: string,
    { headers, body }: NetworkRequestOptions,
  ): Promise<{ response: Response; text: string }> {
    try {
      const response = await this.#fetch(url, {
        method,
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeoutMs),
        ...(headers === undefined ? {} : { headers }),
        ...(body === undefined ? {} : { body }),
      });
      return { response, text: await response.text() };
    } catch (error) {
      this.fault = { kind: 'noAnswer', connection: connectionFault(error) };
      throw error;
    }
  }
}

function refusalOf(response: Response, text: string): TokenFault {
  const description = jsonField(parseJson(text), 'error_description');
  const written = /AADSTS(\d{1,9})/.exec(typeof description === 'string' ? description : '')?.[1];
  return {
    kind: 'refusal',
    status: response.status,
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
    aadsts: written === undefined ? undefined : Number(written),
  };
}

function headersOf(response: Response): Record<string, string> {
  return Object.fromEntries(response.headers.entries());
}

/** Undefined for what is not an object in JSON. */
function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
