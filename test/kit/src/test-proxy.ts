import type { IncomingMessage } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';

/** What a proxy was asked. */
export interface ProxyVisit {
  /** `host:port` of a way that was asked for, or the whole address of what it is to fetch. */
  readonly target: string;
  readonly authorization: string | undefined;
}

/** An HTTP proxy on this machine. All names are taken to be of this machine. */
export interface TestProxy {
  /** Without a user. */
  readonly url: string;
  readonly visits: ProxyVisit[];
  /** Status with which it answers instead; `null`: it does as it is asked; `silent`: it never answers. */
  answer: number | 'silent' | null;
  /** Connections to it that are open. */
  readonly connections: ReadonlySet<Socket>;
  close(): Promise<void>;
}

export async function startTestProxy(): Promise<TestProxy> {
  const server = createServer();
  const connections = new Set<Socket>();
  server.on('connection', (socket) => {
    connections.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => connections.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: TestProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    visits: [],
    answer: null,
    connections,
    close: async () => {
      for (const socket of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on('connect', (asked, socket: Socket, head: Buffer) => {
    proxy.visits.push(visitOf(asked));
    if (proxy.answer === 'silent') {
      socket.resume().once('end', () => socket.end());
      return;
    }
    if (proxy.answer !== null) {
      socket.end(`HTTP/1.1 ${proxy.answer} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { port } = new URL(`http://${asked.url ?? ''}`);
    const onward = connect(Number(port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.once('close', () => onward.destroy());
  });
  server.on('request', (asked, response) => {
    proxy.visits.push(visitOf(asked));
    if (proxy.answer === 'silent') return;
    if (proxy.answer !== null) {
      response.writeHead(proxy.answer).end();
      return;
    }
    const { port, pathname, search } = new URL(asked.url ?? '');
    const { method, headers } = asked;
    const to = { host: '127.0.0.1', port, path: pathname + search };
    const onward = request({ ...to, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    asked.pipe(onward);
  });
  return proxy;
}

function visitOf({ url = '', headers }: IncomingMessage): ProxyVisit {
  return { target: url, authorization: headers['proxy-authorization'] };
}
