import { VirtualClock } from '@earshot/async';
import type { FrameCursor, HelloMessage } from '@earshot/bridge-protocol';
import { CODEC, FrameBatchWriter, MEDIA_SUBPROTOCOL } from '@earshot/bridge-protocol';
import type {
  MediaControlMessage,
  MediaLinkHandlers,
  MediaLinkOpening,
  MediaLinkServerOptions,
  MediaLinkSession,
} from '../src/index.js';
import { MediaLinkServer } from '../src/index.js';
import { Happenings, RawPeer, recordingLog, TestServer } from './kit.js';

export const MEDIA_PATH = '/v1/media-link';

export const hello: HelloMessage = {
  type: 'hello',
  version: 1,
  callId: 'c_1',
  mediaId: 'm_1',
  epoch: 1,
  mediaEpochTicks: '100000',
  clockNowTicks: '200000',
  replayWindowMs: 0,
};

/** Says in tokens what they are good for: `c_1/1`. */
export function tokenOf(callId: string, epoch = 1): string {
  return `${callId}/${epoch}`;
}

/** Handlers that only take note. */
export class RecordingHandlers implements MediaLinkHandlers {
  readonly opened = new Happenings<MediaLinkSession>();
  readonly messages = new Happenings<MediaControlMessage>();
  /** Sequence numbers, one array a message. */
  readonly batches = new Happenings<number[]>();
  readonly payloads: string[] = [];
  pings = 0;
  readonly ends = new Happenings<{ code: number; reason: string }>();

  open(session: MediaLinkSession): MediaLinkOpening {
    this.opened.push(session);
    return { resume: [{ streamId: 1, durableSequence: 42 }] };
  }

  frames(cursor: FrameCursor): void {
    const sequences: number[] = [];
    while (cursor.next()) {
      sequences.push(cursor.sequence);
      const end = cursor.payloadOffset + cursor.payloadLength;
      this.payloads.push(cursor.bytes.slice(cursor.payloadOffset, end).join(' '));
    }
    this.batches.push(sequences);
  }

  message(message: MediaControlMessage): void {
    this.messages.push(message);
  }

  pinged(): void {
    this.pings += 1;
  }

  closed(code: number, reason: string): void {
    this.ends.push({ code, reason });
  }
}

/** A worker's server with a host beside it. */
export class MediaWorld {
  readonly clock = new VirtualClock();
  readonly log = recordingLog();
  readonly handlers: RecordingHandlers[] = [];
  readonly server: MediaLinkServer;
  readonly web: TestServer;

  constructor(web: TestServer, options: Partial<MediaLinkServerOptions>) {
    this.web = web;
    this.server = new MediaLinkServer({
      server: web.http,
      workerId: 'w-1',
      clock: this.clock,
      log: this.log,
      authorize: async (bearer) => {
        const [callId, epoch] = (bearer ?? '').split('/');
        if (callId === undefined || epoch === undefined) return { error: 'malformed' };
        return { callId, epoch: Number(epoch), tokenId: bearer ?? '' };
      },
      accept: async () => {
        const handlers = new RecordingHandlers();
        this.handlers.push(handlers);
        return handlers;
      },
      ...options,
    });
  }

  static async start(options: Partial<MediaLinkServerOptions> = {}): Promise<MediaWorld> {
    return new MediaWorld(await TestServer.start(), options);
  }

  get url(): string {
    return this.web.url(MEDIA_PATH);
  }

  /** A peer whose socket is open and who has said nothing. */
  connect(callId = 'c_1'): Promise<RawPeer> {
    return RawPeer.open(this.url, MEDIA_SUBPROTOCOL, tokenOf(callId));
  }

  /** A peer that was welcomed, and the worker's handlers of it. */
  async join(callId = 'c_1'): Promise<{ peer: RawPeer; handlers: RecordingHandlers }> {
    const peer = await this.connect(callId);
    peer.send({ ...hello, callId });
    await peer.next();
    const handlers = this.handlers.at(-1);
    if (handlers === undefined) throw new Error('welcomed without accept');
    return { peer, handlers };
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.web.close();
  }
}

/** A message of Opus frames of stream 1. */
export function batch(...sequences: number[]): Uint8Array {
  const writer = new FrameBatchWriter();
  for (const sequence of sequences) {
    writer.append(1, CODEC.opus, 0, sequence, 0, 0, Uint8Array.of(sequence, 7));
  }
  return writer.finish().slice();
}
