import { systemClock } from '@earshot/async/system';
import { MediaLinkClient } from '@earshot/bridge';
import type { HelloMessage } from '@earshot/bridge-protocol';
import { MEDIA_SUBPROTOCOL } from '@earshot/bridge-protocol';
import { WebSocket } from 'ws';
import type { PathName } from './messages.js';
import { PATHS } from './messages.js';

const QUIET = { info() {}, warn() {} };

/** Opens a media link as a host does. */
export async function connectHost(
  port: number,
  path: PathName,
  callId: string,
): Promise<MediaLinkClient> {
  const client = new MediaLinkClient({
    url: urlOf(port, path),
    token: callId,
    clock: systemClock,
    log: QUIET,
    hello: helloOf(callId),
    handlers: { welcome() {}, progress() {}, drain() {}, finished() {}, closed() {} },
  });
  await client.connect();
  return client;
}

/**
 * Opens a link and gives its TCP socket, for ready-made messages: writing them costs so little that
 * the receiver is what limits.
 */
export async function connectRaw(port: number, path: PathName): Promise<RawLink> {
  const callId = 'c_raw';
  const socket = new WebSocket(urlOf(port, path), MEDIA_SUBPROTOCOL, {
    headers: { authorization: `Bearer ${callId}` },
    perMessageDeflate: false,
  });
  const transport = new Promise<RawLink['transport']>((resolve) => {
    socket.once('upgrade', (response) => resolve(response.socket));
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  if (path !== 'bare') {
    const welcome = new Promise((resolve) => socket.once('message', resolve));
    socket.send(JSON.stringify(helloOf(callId)));
    await welcome;
  }
  return { transport: await transport, close: () => socket.terminate() };
}

export interface RawLink {
  readonly transport: NodeJS.WritableStream;
  close(): void;
}

function urlOf(port: number, path: PathName): string {
  return `ws://127.0.0.1:${port}${PATHS[path]}`;
}

function helloOf(callId: string): HelloMessage {
  return {
    type: 'hello',
    version: 1,
    callId,
    mediaId: 'm_1',
    epoch: 1,
    mediaEpochTicks: '0',
    clockNowTicks: '0',
    replayWindowMs: 0,
  };
}
