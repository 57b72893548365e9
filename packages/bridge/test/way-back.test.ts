import { once } from 'node:events';
import { VirtualClock } from '@earshot/async';
import type { FrameCursor, HostSendMessage, WorkerSendMessage } from '@earshot/bridge-protocol';
import { CODEC, FrameBatchWriter, KIND, LIMITS, MEDIA_SUBPROTOCOL } from '@earshot/bridge-protocol';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import type { MediaLinkClientOptions, WayBackHandlers } from '../src/index.js';
import { MediaLinkClient } from '../src/index.js';
import type { RawPeer } from './kit.js';
import { Happenings, recordingLog } from './kit.js';
import { hello, MediaWorld, tokenOf } from './media-kit.js';

const send = { codecs: ['opus' as const], maxStreams: 2, bufferFrames: 250 };
const offering = { ...hello, send };

const FROM_HOST: readonly HostSendMessage[] = [
  { type: 'sendOpened', streamId: 1, nextSequence: 5, creditFrames: 250 },
  { type: 'sendProgress', streams: [{ streamId: 1, received: 9, played: 7, creditFrames: 3 }] },
  { type: 'marked', streamId: 1, name: 'end', outcome: 'played', clockTicks: '123' },
  { type: 'cleared', streamId: 1, firstSequence: 9, frames: 0 },
  { type: 'sendClosed', streamId: 1, reason: 'played', played: 9 },
];

const FROM_WORKER: readonly WorkerSendMessage[] = [
  {
    type: 'sendOpen',
    streamId: 1,
    sendId: 'p_1',
    codec: 'opus',
    sampleRateHz: 16_000,
    firstSequence: 0,
  },
  { type: 'mark', streamId: 1, name: 'end', sequence: 3 },
  { type: 'clear', streamId: 1 },
  { type: 'sendClose', streamId: 1, nextSequence: 3 },
];

class RecordingWayBack implements WayBackHandlers {
  readonly messages = new Happenings<WorkerSendMessage>();
  readonly payloads = new Happenings<string>();

  frames(cursor: FrameCursor): void {
    while (cursor.next()) {
      const { bytes, payloadOffset, payloadLength, streamId, sequence } = cursor;
      const payload = bytes.slice(payloadOffset, payloadOffset + payloadLength).join(' ');
      this.payloads.push(`${streamId}/${sequence}: ${payload}`);
    }
  }

  message(message: WorkerSendMessage): void {
    this.messages.push(message);
  }
}

/** Frames of kind 2, one of each sequence. */
function sound(...sequences: number[]): Uint8Array {
  const writer = new FrameBatchWriter(LIMITS.maxMessageBytes, KIND.send);
  for (const sequence of sequences) {
    writer.append(1, CODEC.opus, 0, sequence, 0, 0, Uint8Array.of(sequence, 7));
  }
  return writer.finish().slice();
}

let world: MediaWorld;
beforeEach(async () => {
  world = await MediaWorld.start({ wayBack: true });
});
afterEach(() => world.close());

async function joined(
  at: MediaWorld,
  said: object,
): Promise<{ peer: RawPeer; welcome: Record<string, unknown> }> {
  const peer = await at.connect();
  peer.send(said);
  return { peer, welcome: await peer.next() };
}

describe('a worker', () => {
  test('agrees to the way back where the host offers it', async () => {
    const { welcome } = await joined(world, offering);
    expect(welcome).toMatchObject({ send: true });
    expect((await world.handlers[0]?.opened.next())?.wayBack).toEqual(send);
  });

  test.each([
    ['the host does not offer it', true, hello],
    ['the worker does not want it', false, offering],
  ])('leaves it out of welcome where %s, and sends nothing of it', async (_why, wayBack, said) => {
    const own = await MediaWorld.start({ wayBack });
    const { peer, welcome } = await joined(own, said);
    expect(Object.hasOwn(welcome, 'send')).toBe(false);
    const session = await own.handlers[0]?.opened.next();
    expect(session?.wayBack).toBeUndefined();
    for (const message of FROM_WORKER) session?.send(message);
    expect(session?.sendFrames(sound(0))).toBe(false);
    session?.send({ type: 'finished' });
    expect(await peer.next()).toEqual({ type: 'finished' });
    await own.close();
  });

  test('is told what the host says of it', async () => {
    const { peer } = await joined(world, offering);
    for (const message of FROM_HOST) peer.send(message);
    for (const message of FROM_HOST) {
      expect(await world.handlers[0]?.messages.next()).toEqual(message);
    }
  });

  test('answers what an unasked host says of it by unsupported', async () => {
    const { peer } = await joined(world, hello);
    for (const message of FROM_HOST) peer.send(message);
    for (const { type } of FROM_HOST) {
      expect(await peer.next()).toEqual({ type: 'unsupported', what: type });
    }
    expect(world.handlers[0]?.messages.seen).toEqual([]);
  });

  test('sends frames of a buffer that may be used again at once', async () => {
    const { peer } = await joined(world, offering);
    const session = await world.handlers[0]?.opened.next();
    const bytes = sound(1, 2);
    expect(session?.sendFrames(bytes)).toBe(true);
    bytes.fill(0);
    expect(await peer.binaries.next()).toEqual(sound(1, 2));
  });

  test('holds 1 MiB for a host that does not read, and not more', async () => {
    const { peer } = await joined(world, offering);
    const session = await world.handlers[0]?.opened.next();
    peer.socket.pause();
    const bytes = new Uint8Array(LIMITS.maxMessageBytes);
    let sent = 0;
    while (sent < 1000 && session?.sendFrames(bytes)) sent += 1;
    expect(sent).toBeLessThan(1000);
    expect(sent).toBeGreaterThanOrEqual(16);
    expect(session?.bufferedBytes).toBeLessThan(1_048_576 + 2 * LIMITS.maxMessageBytes);
    session?.close(4999, 'test');
    expect(session?.sendFrames(bytes)).toBe(false);
    peer.socket.terminate();
  });

  test('sends no frames from open: welcome comes first', async () => {
    const early = await MediaWorld.start({
      wayBack: true,
      accept: async () => ({
        open: (session) => {
          session.sendFrames(sound(0));
          return { resume: [] };
        },
        frames() {},
        message() {},
        closed() {},
      }),
    });
    const peer = await early.connect();
    peer.send(offering);
    expect(await peer.closed).toEqual({ code: 4500, reason: 'internal' });
    await early.close();
  });

  test('tells the resume token that its handlers give', async () => {
    const own = await MediaWorld.start({
      accept: async () => ({
        open: () => ({ resume: [], resumeToken: 'again' }),
        frames() {},
        message() {},
        closed() {},
      }),
    });
    const { welcome } = await joined(own, hello);
    expect(welcome).toMatchObject({ resumeToken: 'again' });
    await own.close();
  });
});

/** A worker that welcomes whoever comes, and then sends what it is told to. */
class RudeWorker {
  readonly #server: WebSocketServer;

  private constructor(welcome: object) {
    this.#server = new WebSocketServer({
      port: 0,
      host: '127.0.0.1',
      handleProtocols: () => MEDIA_SUBPROTOCOL,
    });
    this.#server.on('connection', (socket) => {
      socket.once('message', () => socket.send(JSON.stringify(welcome)));
    });
  }

  static async start(more: object): Promise<RudeWorker> {
    const positions = { creditFrames: 9, pingIntervalMs: 5000, resume: [] };
    const welcome = { type: 'welcome', version: 1, workerId: 'w-1', ...positions, ...more };
    const worker = new RudeWorker(welcome);
    await once(worker.#server, 'listening');
    return worker;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not on a port');
    return `ws://127.0.0.1:${address.port}/`;
  }

  send(data: string | Uint8Array): void {
    for (const socket of this.#server.clients) socket.send(data);
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#server.clients) socket.terminate();
  }
}

describe('a host', () => {
  let wayBack: RecordingWayBack;
  let ends: Happenings<{ code: number; reason: string }>;
  let progress: Happenings<unknown>;
  beforeEach(() => {
    wayBack = new RecordingWayBack();
    ends = new Happenings();
    progress = new Happenings();
  });

  function client(options: Partial<MediaLinkClientOptions> = {}): MediaLinkClient {
    return new MediaLinkClient({
      url: world.url,
      token: tokenOf('c_1'),
      hello: offering,
      clock: new VirtualClock(),
      log: recordingLog(),
      handlers: {
        welcome() {},
        progress: (message) => progress.push(message),
        drain() {},
        finished() {},
        closed: (code, reason) => ends.push({ code, reason }),
        send: wayBack,
      },
      ...options,
    });
  }

  test('is given the messages and frames of the way back in their order', async () => {
    const link = client();
    await link.connect();
    const session = await world.handlers[0]?.opened.next();
    for (const message of FROM_WORKER) session?.send(message);
    expect(session?.sendFrames(sound(0, 1))).toBe(true);
    for (const message of FROM_WORKER) expect(await wayBack.messages.next()).toEqual(message);
    expect(await wayBack.payloads.next()).toBe('1/0: 0 7');
    expect(await wayBack.payloads.next()).toBe('1/1: 1 7');
    link.send(FROM_HOST[0]!);
    expect(await world.handlers[0]?.messages.next()).toEqual(FROM_HOST[0]);
    await link.close();
  });

  test.each([
    ['frames that a worker takes', Uint8Array.of(1, 1, 0, 0), 4400, 'unsupported_kind'],
    ['a cut message', sound(1).subarray(0, 20), 4400, 'truncated'],
    ['another version', Uint8Array.of(2, 2, 0, 0), 4426, 'unsupported_version'],
    ['a message too large', new Uint8Array(LIMITS.maxMessageBytes + 1), 4413, 'too_large'],
  ])('closes on %s', async (_name, bytes, code, reason) => {
    const link = client();
    await link.connect();
    (await world.handlers[0]?.opened.next())?.sendFrames(bytes);
    expect(await ends.next()).toEqual({ code, reason });
    expect(wayBack.payloads.seen).toEqual([]);
  });

  test('that was not asked closes on binary and ignores the rest', async () => {
    for (const [says, answered] of [
      [offering, {}],
      [offering, { send: false }],
      [hello, { send: true }],
    ] as const) {
      const worker = await RudeWorker.start(answered);
      const link = client({ url: worker.url, hello: says });
      await link.connect();
      for (const message of FROM_WORKER) worker.send(JSON.stringify(message));
      worker.send(JSON.stringify({ type: 'progress', streams: [], creditFrames: 1 }));
      await progress.next();
      worker.send(sound(0));
      expect(await ends.next()).toEqual({ code: 4400, reason: 'binary_message' });
      expect(wayBack.messages.seen).toEqual([]);
      expect(wayBack.payloads.seen).toEqual([]);
      await link.close();
      await worker.close();
    }
  });
});
