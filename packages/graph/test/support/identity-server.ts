import type { IncomingHttpHeaders } from 'node:http';
import { createServer } from 'node:http';

/** A request for a token of a managed identity. */
export interface IdentityRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** Where an Azure host gives tokens of its identities. */
export interface IdentityServer {
  readonly url: string;
  readonly requests: IdentityRequest[];
  answer: (request: IdentityRequest) => { status?: number; body: unknown };
  close(): Promise<void>;
}

export async function startIdentityServer(
  answer: IdentityServer['answer'],
): Promise<IdentityServer> {
  const requests: IdentityRequest[] = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://host');
    const asked = { path: pathname, query: searchParams, headers: request.headers };
    requests.push(asked);
    const { status = 200, body } = identityServer.answer(asked);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  const identityServer: IdentityServer = {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    answer,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return identityServer;
}
