import type { IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { AddressRules } from './address-rules.js';
import { retryAfterMs } from './retry.js';

/** The `error` of an exchange that was cut on this side. */
export const POSTER_CLOSED = 'closed';
/** From the first step to the end of the answer's headers. */
export const POST_TIMEOUT_MS = 10_000;
/** Of an answer's body so much is read, and thrown away, to keep the connection. */
const MAX_DISCARDED_BYTES = 16 * 1024;
const IDLE_CONNECTION_MS = 30_000;
const MAX_IDLE_CONNECTIONS = 4;
const USER_AGENT = 'Earshot-Webhooks/1';

/** How an attempt went. */
export interface PostResult {
  readonly ok: boolean;
  /** The answer's status; undefined when none came. */
  readonly status: number | undefined;
  readonly durationMs: number;
  /** A stable code, of what went wrong; see the README. */
  readonly error: string | undefined;
  /** What the endpoint asked for. */
  readonly retryAfterMs: number | undefined;
}

export interface PostOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Head {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

/**
 * Posts JSON to endpoints that nobody vouches for: only to permitted addresses, within a time,
 * without following redirects, and without keeping a byte of the answer's body.
 */
export class Poster {
  readonly #clock: Clock;
  readonly #addresses: AddressRules;
  readonly #http: HttpAgent;
  readonly #https: HttpsAgent;
  #isClosed = false;

  constructor({ clock, addresses }: { clock: Clock; addresses: AddressRules }) {
    this.#clock = clock;
    this.#addresses = addresses;
    const pool = {
      keepAlive: true,
      maxFreeSockets: MAX_IDLE_CONNECTIONS,
      timeout: IDLE_CONNECTION_MS,
    };
    this.#http = new HttpAgent(pool);
    this.#https = new HttpsAgent(pool);
  }

  /** Never throws: what goes wrong is a result. */
  async post(options: PostOptions): Promise<PostResult> {
    const startMs = this.#clock.nowMs();
    try {
      const { status, retryAfter } = await this.#exchange(options);
      return {
        ok: status >= 200 && status < 300,
        status,
        durationMs: this.#clock.nowMs() - startMs,
        error: errorOfStatus(status),
        retryAfterMs: retryAfterMs(retryAfter, this.#clock.wallclockMs()),
      };
    } catch (error) {
      return {
        ok: false,
        status: undefined,
        durationMs: this.#clock.nowMs() - startMs,
        error: this.#isClosed ? POSTER_CLOSED : codeOf(error),
        retryAfterMs: undefined,
      };
    }
  }

  /** Ends all connections; what is under way ends with the error `POSTER_CLOSED`. */
  close(): void {
    this.#isClosed = true;
    this.#http.destroy();
    this.#https.destroy();
  }

  #exchange({ url: text, headers, body }: PostOptions): Promise<Head> {
    return new Promise((resolve, reject) => {
      const url = new URL(text);
      // No name is looked up for an address.
      this.#addresses.checkHost(url);
      const isTls = url.protocol === 'https:';
      const options: RequestOptions = {
        method: 'POST',
        agent: isTls ? this.#https : this.#http,
        lookup: this.#addresses.lookup,
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': USER_AGENT,
        },
      };
      const request = isTls ? httpsRequest(url, options) : httpRequest(url, options);
      const cancel = this.#clock.at(this.#clock.nowMs() + POST_TIMEOUT_MS, () => {
        request.destroy(new CodedError('timeout', 'Cannot deliver: no answer in time'));
      });
      let head: Head | undefined;
      request.on('response', (response) => {
        discard(response);
        const retryAfter = response.headers['retry-after'];
        head = { status: response.statusCode ?? 0, retryAfter };
      });
      request.on('error', (error) => {
        if (head === undefined) reject(error);
      });
      // The end of all of them, also of an upgrade that nobody asked for and a body without an end: the
      // next one of the lane has a connection of its own only when this one is gone.
      request.on('close', () => {
        cancel();
        if (head === undefined) reject(connectionLost());
        else resolve(head);
      });
      request.end(body);
    });
  }
}

function connectionLost(): CodedError {
  return new CodedError(
    'connection_lost',
    'Cannot deliver: the connection ended without an answer',
  );
}

/** Reads on to the end, so that the connection can be used again, unless that is far. */
function discard(response: IncomingMessage): void {
  let bytes = 0;
  response.on('data', (chunk: Uint8Array) => {
    bytes += chunk.byteLength;
    if (bytes > MAX_DISCARDED_BYTES) response.destroy();
  });
  response.on('error', () => {});
}

function errorOfStatus(status: number): string | undefined {
  if (status >= 200 && status < 300) return undefined;
  return status >= 300 && status < 400 ? 'redirect_refused' : 'http_status';
}

/** A code, never a message: messages of the network quote addresses. */
function codeOf(error: unknown): string {
  if (error instanceof CodedError) return error.code;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return NETWORK_CODES[code] ?? (code.includes('CERT') ? 'tls_failed' : 'connection_failed');
}

const NETWORK_CODES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'name_not_found',
  EAI_AGAIN: 'name_not_found',
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_lost',
  EPIPE: 'connection_lost',
  ETIMEDOUT: 'timeout',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls_failed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls_failed',
  ERR_SSL_WRONG_VERSION_NUMBER: 'tls_failed',
  EPROTO: 'tls_failed',
};
