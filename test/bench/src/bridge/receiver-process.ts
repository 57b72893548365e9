// The process that receives: a worker's end of media links, and a bare WebSocket server to compare.
import { once } from 'node:events';
import http from 'node:http';
import process from 'node:process';
import { systemClock } from '@earshot/async/system';
import { MediaLinkServer } from '@earshot/bridge';
import type { FrameCursor } from '@earshot/bridge-protocol';
import { WebSocketServer } from 'ws';
import { AgeRecorder } from './age-recorder.js';
import type { PathName, ReceiverCommand, ReceiverReport } from './messages.js';
import { PATHS } from './messages.js';
import { ReceiveCounter } from './receive-counter.js';

const QUIET = { info() {}, warn() {} };
/** As the real link's: a single message is no reason for a limit here. */
const BARE_OPTIONS = { perMessageDeflate: false, maxPayload: 131_072, maxFragments: 64 } as const;

const counter = new ReceiveCounter();
const ages = new AgeRecorder();
const server = http.createServer();

process.on('message', (command: ReceiverCommand) => void take(command));
process.on('disconnect', () => process.exit(0));

async function take(command: ReceiverCommand): Promise<void> {
  switch (command.kind) {
    case 'start':
      tell({ kind: 'ready', port: await start() });
      return;
    case 'begin':
      counter.begin(command.messages, command.gc);
      tell({ kind: 'begun' });
      return;
    case 'end':
      tell({ kind: 'window', window: await counter.end() });
      return;
    case 'beginTimed':
      ages.begin();
      tell({ kind: 'begunTimed' });
      return;
    case 'endTimed':
      tell({ kind: 'timed', timed: ages.end() });
      return;
  }
}

async function start(): Promise<number> {
  serveMedia('frames', (cursor) => counter.frames(cursor));
  serveMedia('timed', (cursor) => ages.frames(cursor));
  serveBare();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A port was expected');
  return address.port;
}

function serveMedia(path: PathName, frames: (cursor: FrameCursor) => void): void {
  new MediaLinkServer({
    server,
    path: PATHS[path],
    workerId: 'w_1',
    clock: systemClock,
    log: QUIET,
    authorize: async (bearer) => ({ callId: bearer ?? '', epoch: 1, tokenId: '' }),
    accept: async () => ({ open: () => ({ resume: [] }), frames, message() {}, closed() {} }),
  });
}

function serveBare(): void {
  const sockets = new WebSocketServer({ ...BARE_OPTIONS, noServer: true, clientTracking: false });
  server.on('upgrade', (request, socket, head) => {
    if (request.url !== PATHS.bare) return;
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => {});
      webSocket.on('message', (data: Buffer) => counter.message(data.length));
    });
  });
}

function tell(report: ReceiverReport): void {
  process.send?.(report);
}
