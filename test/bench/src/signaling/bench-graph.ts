import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { CryptoKey, JWK } from 'jose';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const KEY_ID = 'bench';
const TOKEN_LIFE_S = 3_600;

/** A call as Graph has it. */
export interface BenchLeg {
  readonly id: string;
  readonly callbackUri: string;
}

/** Graph's part of joining, leaving and calling back, at once and always well. */
export class BenchGraph {
  readonly url: string;
  readonly clientId: string = randomUUID();
  readonly issuer: string = 'https://api.botframework.com';
  /** By the media host's blob. */
  readonly legs: Map<string, BenchLeg> = new Map();
  readonly #server: Server;
  readonly #key: CryptoKey;
  readonly #jwk: JWK;

  private constructor(server: Server, key: CryptoKey, jwk: JWK) {
    this.#server = server;
    this.#key = key;
    this.#jwk = jwk;
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('Graph must listen');
    this.url = `http://127.0.0.1:${address.port}`;
    server.on('request', (request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<BenchGraph> {
    const { publicKey, privateKey } = await generateKeyPair('RS256');
    const jwk = { ...(await exportJWK(publicKey)), kid: KEY_ID, alg: 'RS256', use: 'sig' };
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new BenchGraph(server, privateKey, jwk);
  }

  /** The token of a callback. */
  token(tenantId: string): Promise<string> {
    const nowS = Math.floor(Date.now() / 1000);
    const claims = { iss: this.issuer, aud: this.clientId, tid: tenantId };
    return new SignJWT({ ...claims, iat: nowS, exp: nowS + TOKEN_LIFE_S, jti: randomUUID() })
      .setProtectedHeader({ alg: 'RS256', kid: KEY_ID, typ: 'JWT' })
      .sign(this.#key);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, url = '' } = request;
    const text = await textOf(request);
    if (url === '/openid') {
      return answer(response, 200, { issuer: this.issuer, jwks_uri: `${this.url}/keys` });
    }
    if (url === '/keys') return answer(response, 200, { keys: [this.#jwk] });
    if (method === 'DELETE') return answer(response, 204);
    if (!url.endsWith('/communications/calls')) return answer(response, 200);
    const leg = this.#create(JSON.parse(text));
    answer(response, 201, { id: leg.id, state: 'establishing', myParticipantId: randomUUID() });
  }

  #create({ callbackUri, mediaConfig }: CreateBody): BenchLeg {
    const leg = { id: randomUUID(), callbackUri };
    this.legs.set(mediaConfig.blob, leg);
    return leg;
  }
}

interface CreateBody {
  readonly callbackUri: string;
  readonly mediaConfig: { readonly blob: string };
}

function answer(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
