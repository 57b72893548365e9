import type { IncomingHttpHeaders } from 'node:http';
import type { HttpsServer } from './https-server.js';
import { startHttpsServer } from './https-server.js';

/** A request for a token. */
export interface TokenRequest {
  readonly tenantId: string;
  readonly form: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** An authority with discovery and token endpoints for every tenant, such as Entra ID is. */
export interface TokenServer {
  readonly url: string;
  readonly fetch: typeof fetch;
  readonly requests: TokenRequest[];
  /** What is answered to a request; by default a token named after the tenant. */
  answer: (request: TokenRequest) => { status?: number; body: unknown };
  close(): Promise<void>;
}

export async function startTokenServer(): Promise<TokenServer> {
  const requests: TokenRequest[] = [];
  const server: HttpsServer = await startHttpsServer((request, body, response) => {
    const [, tenantId = '', ...path] = (request.url ?? '').replace(/\?.*/, '').split('/');
    const base = `${server.url}/${tenantId}`;
    const send = (value: unknown, status = 200) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    if (path.join('/') !== 'oauth2/v2.0/token') {
      send({
        issuer: `${base}/v2.0`,
        token_endpoint: `${base}/oauth2/v2.0/token`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        jwks_uri: `${base}/discovery/v2.0/keys`,
      });
      return;
    }
    const asked = { tenantId, form: new URLSearchParams(body), headers: request.headers };
    requests.push(asked);
    const said = tokenServer.answer(asked);
    send(said.body, said.status);
  });
  const tokenServer: TokenServer = {
    url: server.url,
    fetch: server.fetch,
    requests,
    answer: ({ tenantId }) => ({
      body: {
        token_type: 'Bearer',
        access_token: `token-${requests.length}-of-${tenantId}`,
        expires_in: 3_599,
      },
    }),
    close: () => server.close(),
  };
  return tokenServer;
}

/** Entra ID's refusal with a number of its own. */
export function refusal(number: number): { status: number; body: unknown } {
  const error_description = `AADSTS${number}: No.`;
  return { status: 401, body: { error: 'invalid_client', error_description } };
}
