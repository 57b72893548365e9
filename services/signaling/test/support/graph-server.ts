import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkType, faultText } from '@earshot/graph-metadata';
import type { CryptoKey, JWK } from 'jose';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { GraphActions } from './graph-actions.js';

const KEY_ID = 'test-key';

export interface GraphRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Record<string, unknown> | undefined;
}

/** How a request is answered in place of the usual; `cut` drops the connection unanswered. */
export type GraphAnswer =
  | 'cut'
  | {
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface GraphLeg {
  readonly id: string;
  /** Of a call that rings: the bot's webhook until it is answered. */
  callbackUri: string;
  readonly tenantId: string;
  blob: unknown;
  alive: boolean;
  /** What the list of participants is answered with. */
  participants?: readonly unknown[];
}

export interface NotifyOptions {
  readonly leg?: GraphLeg;
  readonly callbackUri?: string;
  readonly claims?: Record<string, unknown>;
  readonly issuer?: string;
  /** Undefined sends the token that belongs there; null sends none. */
  readonly authorization?: string | null;
  readonly contentType?: string;
  readonly messageId?: string;
}

/** Actions on a call whose answers tests may choose. */
export type GraphAction = 'keepAlive' | 'answer' | 'reject' | 'updateRecordingStatus';

/**
 * What Microsoft Graph was seen to do with calls, over real HTTP: create, get, delete, keepAlive,
 * and callbacks signed with a key that its JWKS publishes. It speaks only when a test tells it to.
 */
export class GraphServer {
  readonly url: string;
  readonly requests: GraphRequest[] = [];
  readonly legs: GraphLeg[] = [];
  readonly actions: GraphActions = new GraphActions();
  readonly issuer = 'https://api.botframework.com';
  readonly clientId = '11111111-aaaa-bbbb-cccc-000000000001';
  readonly #answers = new Map<string, GraphAnswer[]>();
  #hold: { created(leg: GraphLeg): void; held: Promise<void> } | undefined;
  readonly #server: Server;
  readonly #key: CryptoKey;

  private constructor(server: Server, key: CryptoKey, jwk: JWK) {
    this.#server = server;
    this.#key = key;
    const { port } = server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}`;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void this.#handle(request, response, jwk);
    });
  }

  static async start(): Promise<GraphServer> {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'RS256', use: 'sig' };
    // No connection is closed for being idle at the moment when a request goes out on it.
    const server = createServer({ keepAliveTimeout: 0 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new GraphServer(server, privateKey, jwk);
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  /** The next request of this kind gets this answer instead. */
  answerNext(kind: 'create' | 'delete' | GraphAction, answer: GraphAnswer): void {
    this.#answers.set(kind, [...(this.#answers.get(kind) ?? []), answer]);
  }

  /** Holds the answer to the next create back until `release`. */
  holdNextCreate(): { leg: Promise<GraphLeg>; release(): void } {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const leg = new Promise<GraphLeg>((resolve) => {
      this.#hold = { created: resolve, held };
    });
    return { leg, release };
  }

  count(method: string, ending: string): number {
    return this.requests.filter((r) => r.method === method && r.path.endsWith(ending)).length;
  }

  get lastLeg(): GraphLeg {
    const leg = this.legs.at(-1);
    if (leg === undefined) throw new Error('no call was created');
    return leg;
  }

  /** Posts one callback with the given items to where the call's creator asked for it. */
  async notify(items: readonly unknown[], options: NotifyOptions = {}): Promise<Response> {
    const body = { '@odata.type': '#microsoft.graph.commsNotifications', value: items };
    return this.post(JSON.stringify(body), options);
  }

  async post(body: string, options: NotifyOptions = {}): Promise<Response> {
    const leg = options.leg ?? this.legs.at(-1);
    const authorization =
      options.authorization === undefined
        ? `Bearer ${await this.token({ tid: leg?.tenantId, ...options.claims }, options.issuer)}`
        : options.authorization;
    return fetch(options.callbackUri ?? leg?.callbackUri ?? '', {
      method: 'POST',
      headers: {
        'content-type': options.contentType ?? 'application/json',
        ...(authorization === null ? {} : { authorization }),
        ...(options.messageId === undefined
          ? {}
          : { 'x-microsoft-skype-message-id': options.messageId }),
      },
      body,
    });
  }

  token(claims: Record<string, unknown>, issuer: string = this.issuer): Promise<string> {
    const nowS = Math.floor(Date.now() / 1000);
    const usual = { iss: issuer, aud: this.clientId, iat: nowS, exp: nowS + 3900 };
    return new SignJWT({ ...usual, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: KEY_ID, typ: 'JWT' })
      .sign(this.#key);
  }

  async #handle(request: IncomingMessage, response: ServerResponse, jwk: JWK): Promise<void> {
    const text = await textOf(request);
    const path = request.url ?? '';
    if (path === '/openid') {
      answer(response, 200, { issuer: this.issuer, jwks_uri: `${this.url}/keys` });
      return;
    }
    if (path === '/keys') {
      answer(response, 200, { keys: [jwk] });
      return;
    }
    const body = text === '' ? undefined : JSON.parse(text);
    const { authorization } = request.headers;
    this.requests.push({ method: request.method ?? '', path, authorization, body });
    if (request.method === 'GET' && path.endsWith('/participants')) {
      this.#answerRoster(path, response);
      return;
    }
    if (this.actions.answer({ method: request.method ?? '', path, body }, response)) return;
    this.#answerCall(request.method ?? '', path, body, response);
  }

  #answerRoster(path: string, response: ServerResponse): void {
    const leg = this.legs.find(({ id, alive }) => alive && path.includes(`/${id}/`));
    if (leg === undefined) answer(response, 404, GONE);
    else answer(response, 200, { value: leg.participants ?? [] });
  }

  #answerCall(
    method: string,
    path: string,
    body: Record<string, unknown> | undefined,
    response: ServerResponse,
  ): void {
    const [, id, action] =
      /^\/v1\.0\/communications\/calls(?:\/([^/]+))?(?:\/([\w.]+))?$/.exec(path) ?? [];
    const kind = id === undefined ? 'create' : (action ?? 'delete');
    const given = this.#answers.get(kind)?.shift();
    if (given !== undefined && given !== 'cut') {
      answer(response, given.status, given.body, given.headers);
    } else if (kind === 'create') void this.#create(body ?? {}, response, given === 'cut');
    else if (given === 'cut') response.socket?.destroy();
    else this.#answerLeg({ method, id, action, body: body ?? {} }, response);
  }

  /** A call begins to ring; the test tells the bot of it. */
  ring(webhook: string, tenantId: string): GraphLeg {
    const leg: GraphLeg = {
      id: randomUUID(),
      callbackUri: webhook,
      tenantId,
      blob: undefined,
      alive: true,
    };
    this.legs.push(leg);
    return leg;
  }

  #answerLeg({ method, id, action, body }: LegRequest, response: ServerResponse): void {
    const leg = this.legs.find((known) => known.id === id && known.alive);
    if (leg === undefined) {
      answer(response, 404, GONE);
      return;
    }
    if (method === 'DELETE' || action === 'reject') leg.alive = false;
    if (action === 'answer') {
      leg.callbackUri = String(body['callbackUri']);
      leg.blob = Object(body['mediaConfig'])['blob'];
    }
    const isAccepted = action === 'answer' || action === 'reject';
    const status = method === 'DELETE' ? 204 : isAccepted ? 202 : 200;
    answer(response, status, action === 'updateRecordingStatus' ? operation(action) : undefined);
  }

  /** A cut connection leaves a call behind all the same, as it may with Graph. */
  async #create(
    body: Record<string, unknown>,
    response: ServerResponse,
    isCut: boolean,
  ): Promise<void> {
    const [fault] = checkType('call', body);
    if (fault !== undefined) {
      answer(response, 400, { error: { code: '2203', message: faultText(fault) } });
      return;
    }
    const leg: GraphLeg = {
      id: randomUUID(),
      callbackUri: String(body['callbackUri']),
      tenantId: String(body['tenantId']),
      blob: Object(body['mediaConfig'])['blob'],
      alive: true,
    };
    this.legs.push(leg);
    const hold = this.#hold;
    this.#hold = undefined;
    hold?.created(leg);
    await hold?.held;
    if (isCut) {
      response.socket?.destroy();
      return;
    }
    answer(response, 201, {
      '@odata.type': '#microsoft.graph.call',
      id: leg.id,
      state: 'establishing',
      myParticipantId: randomUUID(),
      callChainId: randomUUID(),
    });
  }
}

interface LegRequest {
  readonly method: string;
  readonly id: string | undefined;
  readonly action: string | undefined;
  readonly body: Record<string, unknown>;
}

function operation(action: string): unknown {
  return {
    '@odata.type': `#microsoft.graph.${action}Operation`,
    id: randomUUID(),
    status: 'completed',
    clientContext: null,
    resultInfo: null,
  };
}

const GONE = { error: { code: 'NotFound', message: 'Call not found. (8522)' } };

function answer(
  response: ServerResponse,
  status: number,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
