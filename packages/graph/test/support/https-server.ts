import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request as httpsRequest } from 'node:https';
import { generate } from 'selfsigned';

export interface HttpsServer {
  readonly url: string;
  /** The global `fetch` as it is where the server's certificate is trusted. */
  readonly fetch: typeof fetch;
  close(): Promise<void>;
}

/** A server with a certificate of its own that nobody else trusts. */
export async function startHttpsServer(
  handle: (request: IncomingMessage, body: string, response: ServerResponse) => void,
): Promise<HttpsServer> {
  const pems = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    keySize: 2048,
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  const server = createServer({ key: pems.private, cert: pems.cert }, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    handle(request, body, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return {
    url: `https://127.0.0.1:${address.port}`,
    fetch: fetchTrusting(pems.cert),
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** `fetch` takes no authority but those of the process's start, so it is rebuilt on node:https. */
function fetchTrusting(ca: string): typeof fetch {
  return (input, init) =>
    new Promise((resolve, reject) => {
      const signal = init?.signal ?? undefined;
      const outgoing = httpsRequest(
        String(input),
        {
          ca,
          agent: false,
          method: init?.method ?? 'GET',
          headers: Object.fromEntries(new Headers(init?.headers)),
        },
        async (incoming) => {
          let text = '';
          for await (const chunk of incoming) text += chunk;
          const headers = new Headers();
          for (const [name, value] of Object.entries(incoming.headers)) {
            headers.set(name, String(value));
          }
          resolve(new Response(text, { status: incoming.statusCode ?? 0, headers }));
        },
      );
      outgoing.on('error', reject);
      signal?.addEventListener('abort', () => {
        reject(signal.reason);
        outgoing.destroy();
      });
      outgoing.end(init?.body ?? undefined);
    });
}
