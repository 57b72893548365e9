import { VirtualClock } from '@earshot/async';
import { HOST_SUBPROTOCOL } from '@earshot/bridge-protocol';
import type { AttachRequest, HostLinkClientOptions, HostMediaState } from '../src/index.js';
import { HostLinkClient, HostLinkServer } from '../src/index.js';
import { Happenings, RawPeer, recordingLog, TestServer } from './kit.js';

/** Where host links are dialled. */
export const PATH = '/v1/host-link';

export const HELLO = {
  ...{ type: 'hello', version: 1, hostId: 'h1', capacity: 5, mediaKinds: ['mixed'] },
} as const;

export const ATTACH_REQUEST: AttachRequest = {
  mediaId: 'm1',
  callId: 'c1',
  workerUrl: 'ws://127.0.0.1:1/v1/media-link',
  token: 't',
  epoch: 3,
};

export interface TestClient {
  readonly client: HostLinkClient;
  readonly clock: VirtualClock;
  readonly attached: AttachRequest[];
  readonly released: Happenings<string>;
  readonly log: ReturnType<typeof recordingLog>;
}

/** Signaling's end of the host links of one test, and hosts that dial it. */
export class HostLinks {
  readonly web: TestServer;
  readonly clock = new VirtualClock();
  readonly presence = new Happenings<string>();
  readonly states = new Happenings<HostMediaState>();
  readonly roundTrips: number[] = [];
  /** States and attachments, in order. */
  readonly said: string[] = [];
  readonly #clients: HostLinkClient[] = [];
  signaling: HostLinkServer;

  private constructor(web: TestServer) {
    this.web = web;
    this.signaling = this.#server();
  }

  static async open(): Promise<HostLinks> {
    return new HostLinks(await TestServer.start());
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
    await this.signaling.close();
    await this.web.close();
  }

  /** Begins anew, after the one before was closed. */
  startServer(): void {
    this.signaling = this.#server();
  }

  connect(): Promise<RawPeer> {
    return RawPeer.open(this.web.url(PATH), HOST_SUBPROTOCOL, 'key');
  }

  /** A host that was welcomed. */
  async join(hostId = 'h1'): Promise<RawPeer> {
    const peer = await this.connect();
    peer.send({ ...HELLO, hostId });
    await peer.next();
    return peer;
  }

  startClient(options: Partial<HostLinkClientOptions> = {}): TestClient {
    const clock = new VirtualClock();
    const attached: AttachRequest[] = [];
    const released = new Happenings<string>();
    const log = recordingLog();
    const client = new HostLinkClient({
      url: this.web.url(PATH),
      token: 'key',
      hostId: 'h1',
      capacity: 5,
      clock,
      random: () => 0.5,
      log,
      handlers: {
        allocate: async (callId) => ({ mediaId: `m-${callId}`, blob: `blob-${callId}` }),
        attach: async (request) => void attached.push(request),
        release: (mediaId) => released.push(mediaId),
      },
      ...options,
    });
    this.#clients.push(client);
    client.start();
    return { client, clock, attached, released, log };
  }

  #server(): HostLinkServer {
    return new HostLinkServer({
      server: this.web.http,
      authorize: (bearer) => bearer === 'key',
      clock: this.clock,
      log: recordingLog(),
      onHostUp: ({ hostId }) => this.presence.push(`up ${hostId}`),
      onHostDown: (hostId) => this.presence.push(`down ${hostId}`),
      onRoundTrip: (rttMs) => this.roundTrips.push(rttMs),
      onMediaState: (state) => {
        this.states.push(state);
        this.said.push(state.state);
      },
      onAttached: ({ hostId, mediaId }) => this.said.push(`attached ${hostId} ${mediaId}`),
    });
  }
}

/** After it, everything that `peer` sent before has been read. */
export async function settle(peer: RawPeer): Promise<void> {
  peer.send({ type: 'ping', id: 99 });
  for (;;) {
    const message = await peer.next();
    if (message['type'] === 'pong' && message['id'] === 99) return;
  }
}
