import { randomUUID } from 'node:crypto';
import { connectionFault } from './connection-fault.js';
import type { GraphEndpoints } from './endpoints.js';
import { errorOfAnswer } from './error-answer.js';
import { GraphError } from './graph-error.js';

/** Gives the access token for a tenant. */
export interface TokenSource {
  token(tenantId: string): Promise<string>;
}

/** Of Graph: `beta` has all of `v1.0`, and may change. */
export type GraphVersion = 'v1.0' | 'beta';

export interface GraphCallsOptions {
  readonly endpoints: GraphEndpoints;
  readonly tokens: TokenSource;
  /** Takes the place of the version in the endpoints' address. @defaultValue that version */
  readonly version?: GraphVersion;
  /** @defaultValue the global `fetch` */
  readonly fetch?: typeof fetch;
  /** @defaultValue Earshot */
  readonly userAgent?: string;
  /** How long Graph may take to answer. @defaultValue 20 000 */
  readonly timeoutMs?: number;
}

/** One request of Graph. */
export interface GraphRequest {
  readonly tenantId: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** After the base with its version. */
  readonly path: string;
  /** Reads after "Cannot". */
  readonly action: string;
  readonly body?: Readonly<Record<string, unknown>> | undefined;
  readonly scenarioId?: string | undefined;
}

const DEFAULT_TIMEOUT_MS = 20_000;

/** Sends requests with a token and tracing headers, nothing retried. */
export class GraphClient {
  readonly #baseUrl: string;
  readonly #tokens: TokenSource;
  readonly #fetch: typeof fetch;
  readonly #userAgent: string;
  readonly #timeoutMs: number;

  constructor({ endpoints, version, ...options }: GraphCallsOptions) {
    const baseUrl = endpoints.graphBaseUrl.replace(/\/+$/, '');
    this.#baseUrl =
      version === undefined ? baseUrl : `${baseUrl.replace(/\/(?:v1\.0|beta)$/, '')}/${version}`;
    this.#tokens = options.tokens;
    this.#fetch = options.fetch ?? fetch;
    this.#userAgent = options.userAgent ?? 'Earshot';
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /** The answer's JSON; undefined for none. Throws GraphError. */
  async send(request: GraphRequest): Promise<unknown> {
    const token = await this.#tokens.token(request.tenantId);
    const clientRequestId = randomUUID();
    const { response, text } = await this.#exchange(request, token, clientRequestId);
    if (!response.ok) throw errorOfAnswer(request.action, response, text, clientRequestId);
    if (text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw unreadable(request.action, 'JSON', cause);
    }
  }

  async #exchange(
    request: GraphRequest,
    token: string,
    clientRequestId: string,
  ): Promise<{ response: Response; text: string }> {
    try {
      const response = await this.#fetch(this.#baseUrl + request.path, {
        method: request.method,
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeoutMs),
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          'client-request-id': clientRequestId,
          'user-agent': this.#userAgent,
          ...(request.scenarioId === undefined ? {} : { 'scenario-id': request.scenarioId }),
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      return { response, text: await response.text() };
    } catch (cause) {
      throw this.#noAnswer(request.action, clientRequestId, cause);
    }
  }

  #noAnswer(action: string, clientRequestId: string, cause: unknown): GraphError {
    const { timedOut, code, neverSent } = connectionFault(cause);
    const why = code === undefined ? '' : ` (${code})`;
    const actual = timedOut ? `no answer within ${this.#timeoutMs} ms` : `no connection${why}`;
    return new GraphError(
      timedOut ? 'graph_timeout' : 'graph_unreachable',
      `Cannot ${action}: Graph must answer, got ${actual}`,
      { clientRequestId, mayHaveHappened: !neverSent },
      { cause },
    );
  }
}

/** For an answer of success that is not what Graph documents. */
export function unreadable(action: string, rule: string, cause?: unknown): GraphError {
  return new GraphError(
    'graph_answer_unreadable',
    `Cannot ${action}: Graph's answer must be ${rule}, got something else`,
    { mayHaveHappened: true },
    { cause },
  );
}
