import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer, request as sendRequest } from 'node:http';

/** A callback on its way to one of the pods. */
export interface SpreadCallback {
  /** From 1, in the order in which they came. */
  readonly number: number;
  readonly body: string;
  /** Passes it on to a pod; resolves with the status of its answer. */
  send(podUrl: string): Promise<number>;
}

/**
 * The one address that Graph knows, before several signaling pods. Each callback is answered with
 * what `handle` says; when it rejects, with 502, upon which Graph sends it again.
 */
export class CallbackSpreader {
  /** To be set before the first callback. */
  handle: (callback: SpreadCallback) => Promise<number> = async () => 503;
  readonly url: string;
  readonly #server: Server;
  #count = 0;

  private constructor(server: Server) {
    this.#server = server;
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('it must listen');
    this.url = `http://127.0.0.1:${address.port}`;
    server.on('request', (request, response) => void this.#take(request, response));
  }

  static async start(): Promise<CallbackSpreader> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new CallbackSpreader(server);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await textOf(request);
    this.#count += 1;
    const send = (podUrl: string) => pass(request, body, podUrl);
    const status = await this.handle({ number: this.#count, body, send }).catch(() => 502);
    response.writeHead(status).end();
  }
}

function pass(request: IncomingMessage, body: string, podUrl: string): Promise<number> {
  const { method, url = '', headers } = request;
  const { authorization, 'content-type': type, 'x-microsoft-skype-message-id': id } = headers;
  return new Promise((resolve, reject) => {
    const passed = sendRequest(
      podUrl + url,
      {
        method,
        agent: false,
        headers: {
          ...(authorization === undefined ? {} : { authorization }),
          ...(type === undefined ? {} : { 'content-type': type }),
          ...(id === undefined ? {} : { 'x-microsoft-skype-message-id': id }),
        },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    passed.on('error', reject);
    passed.end(body);
  });
}

async function textOf(request: IncomingMessage): Promise<string> {
  request.setEncoding('utf8');
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
