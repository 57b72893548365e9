import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '@earshot/async';
import { CloseStack } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { createOpusEngine } from '@earshot/opus';
import type { Log } from '@earshot/telemetry';
import { createLog } from '@earshot/telemetry';
import { MediaHost } from '../src/host/media-host.js';
import type { MediaSession } from '../src/host/media-session.js';
import type { TestWorkerOptions } from './test-worker.js';
import { TestWorker } from './test-worker.js';
import { Watched } from './watched.js';

const SILENT: Log = createLog({ service: 'test', level: 'silent' });

export interface HostStageOptions extends Partial<TestWorkerOptions> {
  readonly replayWindowMs?: number;
  readonly replayWindowBytes?: number;
  /** Jitter of the back-off: 0 for none. @defaultValue 0 */
  readonly random?: number;
  /** Of the host only. @defaultValue the machine's */
  readonly hostClock?: Clock;
}

/** Resolves once a socket is closed, now or later. */
export async function gone(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket, 'close');
}

/** A media host without Graph or a meeting's clock, and a worker on a real socket. */
export class HostStage {
  readonly closers: CloseStack = new CloseStack();
  readonly server: Server = createServer();
  /** Connections to the worker, oldest first. */
  readonly sockets: Watched<Socket> = new Watched();
  /** Bearers of the upgrades, in order; also of those refused. */
  readonly bearers: Watched<string> = new Watched();
  /** What the host says of its sessions, with the details. */
  readonly states: Watched<string> = new Watched();
  host!: MediaHost;
  worker!: TestWorker;
  workerUrl = '';

  static async open(options: HostStageOptions = {}): Promise<HostStage> {
    const stage = new HostStage();
    const { server } = stage;
    server.on('connection', (socket) => stage.sockets.add(socket));
    server.on('upgrade', ({ headers }) =>
      stage.bearers.add((headers.authorization ?? '').replace('Bearer ', '')),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stage.closers.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    stage.workerUrl = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v1/media-link`;
    const worker = { creditFrames: 200, clock: systemClock, ...options };
    stage.worker = new TestWorker({ ...worker, server });
    stage.closers.defer(() => stage.worker.close());
    const engine = await createOpusEngine();
    stage.host = new MediaHost({
      hostId: 'h_test',
      capacity: 10,
      clock: options.hostClock ?? systemClock,
      random: () => options.random ?? 0,
      log: SILENT,
      replayWindowMs: options.replayWindowMs ?? 30_000,
      replayWindowBytes: options.replayWindowBytes ?? 2 * 1024 * 1024,
      virtualTime: true,
      onState: (_mediaId, state, detail) =>
        stage.states.add(detail === undefined ? state : `${state} ${detail}`),
      decoders: engine.createDecoderPool({ sampleRateHz: 16_000, channels: 1, capacity: 80 }),
    });
    stage.closers.defer(() => stage.host.close());
    return stage;
  }

  /** A call whose meeting has begun; its audio is the test's to give. */
  begin(callId: string): { readonly mediaId: string; readonly session: MediaSession } {
    const { mediaId, blob } = this.host.allocate(callId);
    const session = this.host.claim(blob, () => {});
    if (session === undefined) throw new Error('The host does not know its own blob');
    session.begin();
    return { mediaId, session };
  }

  attach(mediaId: string, token: string, epoch: number): Promise<void> {
    return this.host.attach(mediaId, { workerUrl: this.workerUrl, token, epoch });
  }

  /** The host has had a link open so many times. */
  async isActive(times: number): Promise<void> {
    const count = (): number => this.states.items.filter((state) => state === 'active').length;
    await this.states.first(() => count() >= times);
  }

  async close(): Promise<void> {
    await this.closers.close();
  }
}
