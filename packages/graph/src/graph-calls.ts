import { randomUUID } from 'node:crypto';
import { connectionFault } from './connection-fault.js';
import type { CreateCallRequest } from './create-call-body.js';
import { createCallBody } from './create-call-body.js';
import type { GraphEndpoints } from './endpoints.js';
import { errorOfAnswer } from './error-answer.js';
import { GraphError } from './graph-error.js';
import { jsonField } from './json-field.js';

/** Gives the access token for a tenant. */
export interface TokenSource {
  token(tenantId: string): Promise<string>;
}

export interface GraphCallsOptions {
  readonly endpoints: GraphEndpoints;
  readonly tokens: TokenSource;
  /** @defaultValue the global `fetch` */
  readonly fetch?: typeof fetch;
  /** @defaultValue Earshot */
  readonly userAgent?: string;
  /** How long Graph may take to answer. @defaultValue 20 000 */
  readonly timeoutMs?: number;
}

/** Our leg, as Graph accepted it. */
export interface CreatedCall {
  readonly graphCallId: string;
  /** Graph's word, `establishing` as a rule. */
  readonly state: string;
  readonly myParticipantId?: string;
  readonly callChainId?: string;
}

/** `updateRecordingStatus` knows these. */
export type RecordingStatus = 'notRecording' | 'recording' | 'failed';

interface GraphRequest {
  readonly tenantId: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  /** Reads after "Cannot". */
  readonly action: string;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly scenarioId?: string;
}

const DEFAULT_TIMEOUT_MS = 20_000;

/**
 * Graph's calls API, one method a request, nothing retried: who calls knows what may be repeated.
 * All methods throw GraphError.
 */
export class GraphCalls {
  readonly #baseUrl: string;
  readonly #tokens: TokenSource;
  readonly #fetch: typeof fetch;
  readonly #userAgent: string;
  readonly #timeoutMs: number;

  constructor(options: GraphCallsOptions) {
    this.#baseUrl = options.endpoints.graphBaseUrl.replace(/\/+$/, '');
    this.#tokens = options.tokens;
    this.#fetch = options.fetch ?? fetch;
    this.#userAgent = options.userAgent ?? 'Earshot';
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /**
   * Joins a meeting with app-hosted media (Graph: application-post-calls). A failure with
   * `mayHaveHappened` may still lead to a call: recognise it by its callback address.
   */
  async create(request: CreateCallRequest): Promise<CreatedCall> {
    const call = await this.#send({
      tenantId: request.tenantId,
      method: 'POST',
      path: '/communications/calls',
      action: 'join the meeting',
      body: createCallBody(request),
      scenarioId: request.scenarioId,
    });
    return createdCall(call);
  }

  /** The call as Graph sees it; 404 once it is over (Graph: call-get). */
  get(tenantId: string, graphCallId: string): Promise<unknown> {
    return this.#onCall('GET', tenantId, graphCallId, '', 'read the call');
  }

  /** The whole roster (Graph: call-list-participants). */
  async listParticipants(tenantId: string, graphCallId: string): Promise<readonly unknown[]> {
    const answer = await this.#onCall(
      'GET',
      tenantId,
      graphCallId,
      '/participants',
      'list participants',
    );
    const value = jsonField(answer, 'value');
    if (Array.isArray(value)) return value;
    throw unreadable('list participants', 'a list in `value`');
  }

  /** Ends our own leg; 404 when it is over already (Graph: call-delete). */
  async delete(tenantId: string, graphCallId: string): Promise<void> {
    await this.#onCall('DELETE', tenantId, graphCallId, '', 'leave the call');
  }

  /** Due within every 45 minutes; 404 when the call is over (Graph: call-keepalive). */
  async keepAlive(tenantId: string, graphCallId: string): Promise<void> {
    await this.#onCall('POST', tenantId, graphCallId, '/keepAlive', 'keep the call alive');
  }

  /** Mutes our own leg; group calls only (Graph: call-mute). */
  mute(tenantId: string, graphCallId: string, clientContext?: string): Promise<unknown> {
    return this.#onCall('POST', tenantId, graphCallId, '/mute', 'mute', context(clientContext));
  }

  /** Takes our own mute back; group calls only (Graph: call-unmute). */
  unmute(tenantId: string, graphCallId: string, clientContext?: string): Promise<unknown> {
    return this.#onCall('POST', tenantId, graphCallId, '/unmute', 'unmute', context(clientContext));
  }

  /** Granted to policy-recording calls only, else 8506 (Graph: call-updaterecordingstatus). */
  updateRecordingStatus(
    tenantId: string,
    graphCallId: string,
    status: RecordingStatus,
    clientContext?: string,
  ): Promise<unknown> {
    const body = { ...context(clientContext), status };
    const action = 'update the recording status';
    return this.#onCall('POST', tenantId, graphCallId, '/updateRecordingStatus', action, body);
  }

  #onCall(
    method: GraphRequest['method'],
    tenantId: string,
    graphCallId: string,
    suffix: string,
    action: string,
    body?: Readonly<Record<string, unknown>>,
  ): Promise<unknown> {
    const path = `/communications/calls/${encodeURIComponent(graphCallId)}${suffix}`;
    return this.#send({ tenantId, method, path, action, ...(body === undefined ? {} : { body }) });
  }

  async #send(request: GraphRequest): Promise<unknown> {
    const token = await this.#tokens.token(request.tenantId);
    const { response, text } = await this.#exchange(request, token);
    if (!response.ok) throw errorOfAnswer(request.action, response, text);
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
  ): Promise<{ response: Response; text: string }> {
    try {
      const response = await this.#fetch(this.#baseUrl + request.path, {
        method: request.method,
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeoutMs),
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          'client-request-id': randomUUID(),
          'user-agent': this.#userAgent,
          ...(request.scenarioId === undefined ? {} : { 'scenario-id': request.scenarioId }),
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      return { response, text: await response.text() };
    } catch (cause) {
      throw this.#noAnswer(request.action, cause);
    }
  }

  #noAnswer(action: string, cause: unknown): GraphError {
    const { timedOut, code, neverSent } = connectionFault(cause);
    const why = code === undefined ? '' : ` (${code})`;
    const actual = timedOut ? `no answer within ${this.#timeoutMs} ms` : `no connection${why}`;
    return new GraphError(
      timedOut ? 'graph_timeout' : 'graph_unreachable',
      `Cannot ${action}: Graph must answer, got ${actual}`,
      { mayHaveHappened: !neverSent },
      { cause },
    );
  }
}

function createdCall(call: unknown): CreatedCall {
  const graphCallId = jsonField(call, 'id');
  if (typeof graphCallId !== 'string' || graphCallId === '') {
    throw unreadable('join the meeting', 'a call with an `id`');
  }
  const state = jsonField(call, 'state');
  const myParticipantId = jsonField(call, 'myParticipantId');
  const callChainId = jsonField(call, 'callChainId');
  return {
    graphCallId,
    state: typeof state === 'string' ? state : 'establishing',
    ...(typeof myParticipantId === 'string' ? { myParticipantId } : {}),
    ...(typeof callChainId === 'string' ? { callChainId } : {}),
  };
}

function context(clientContext: string | undefined): Readonly<Record<string, unknown>> {
  return { clientContext: clientContext ?? randomUUID() };
}

function unreadable(action: string, rule: string, cause?: unknown): GraphError {
  return new GraphError(
    'graph_answer_unreadable',
    `Cannot ${action}: Graph's answer must be ${rule}, got something else`,
    { mayHaveHappened: true },
    { cause },
  );
}
