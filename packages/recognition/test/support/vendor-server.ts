import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';

/** One connection as the vendor sees it. */
export interface Visitor {
  readonly request: IncomingMessage;
  readonly socket: WebSocket;
}

export interface VendorServer {
  readonly url: string;
  readonly visitors: Visitor[];
  /** The status with which upgrades are refused; null: they are not. */
  refuseWith: number | null;
  /** Ends all connections as a crash does. */
  crash(): void;
  close(): Promise<void>;
}

/** A vendor on this machine, with WebSockets as theirs. */
export async function serveVendor(welcome: (visitor: Visitor) => void): Promise<VendorServer> {
  const server = createServer((_request, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true });
  const visitors: Visitor[] = [];
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const vendor: VendorServer = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    visitors,
    refuseWith: null,
    crash: () => {
      for (const { socket } of visitors) socket.terminate();
    },
    close: async () => {
      vendor.crash();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (vendor.refuseWith !== null) {
      socket.end(`HTTP/1.1 ${vendor.refuseWith} No\r\nconnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (opened: WebSocket) => {
      const visitor = { request, socket: opened };
      visitors.push(visitor);
      welcome(visitor);
    });
  });
  return vendor;
}

/** For tests in real time, which say nothing of limits: a machine may be slow. */
export const PATIENT = { connectMs: 600_000, resultsMs: 600_000, quietMs: 600_000 } as const;

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}
