import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import { GLOBAL_CLOUD } from '../src/endpoints.js';
import { GraphCalls } from '../src/graph-calls.js';
import type { GraphCallsOptions } from '../src/graph-client.js';
import { GraphError } from '../src/graph-error.js';

export interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Never answers. */
  readonly hang?: boolean;
  /** Breaks the connection. */
  readonly cut?: boolean;
}

/** An HTTP server in Graph's place that answers what it is told to, and keeps what it was asked. */
export class GraphStand {
  answer: Answer = {};
  seen: Seen[] = [];
  /** With the version v1.0. */
  baseUrl = '';
  #server: Server | undefined;

  async open(): Promise<void> {
    this.answer = {};
    this.seen = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { method, url, headers } = request;
      this.seen.push({ method, url, headers, body });
      const { status = 200, hang, cut } = this.answer;
      if (hang === true) return;
      if (cut === true) request.socket.destroy();
      else response.writeHead(status, this.answer.headers).end(this.answer.body ?? '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    this.baseUrl = `http://127.0.0.1:${port}/v1.0`;
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  client(options: Partial<GraphCallsOptions> = {}): GraphCalls {
    return new GraphCalls({
      endpoints: { ...GLOBAL_CLOUD, graphBaseUrl: this.baseUrl },
      tokens: { token: async (tenantId) => `token-of-${tenantId}` },
      ...options,
    });
  }
}

/** The error of work that must fail. */
export async function failure(work: Promise<unknown>): Promise<GraphError> {
  const error = await work.catch((caught: unknown) => caught);
  if (error instanceof GraphError) return error;
  throw new Error(`expected a GraphError, got ${String(error)}`);
}
