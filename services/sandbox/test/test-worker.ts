import type { Server } from 'node:http';
import type { Clock } from '@earshot/async';
import type { MediaLinkHandlers, MediaLinkSession } from '@earshot/bridge';
import { MediaLinkServer } from '@earshot/bridge';
import type { FrameCursor, HelloMessage } from '@earshot/bridge-protocol';
import { FLAG, relativeMs, splitTicks } from '@earshot/bridge-protocol';
import { packetNumber } from './fixtures.js';
import { Watched } from './watched.js';

export interface HeardFrame {
  readonly sequence: number;
  readonly timeMs: number;
  readonly number: number;
  readonly speaker: number;
  readonly isReplayed: boolean;
}

export interface HeardStream {
  readonly streamId: number;
  readonly sourceId: string | undefined;
  readonly firstSequence: number;
  readonly frames: HeardFrame[];
  /** Sizes of the messages that brought its frames. */
  nextSequence: number | undefined;
}

/** What a worker got over one link. */
export interface HeardLink {
  readonly hello: HelloMessage;
  readonly session: MediaLinkSession;
  readonly streams: Map<number, HeardStream>;
  readonly discarded: { streamId: number; firstSequence: number; frames: number }[];
  readonly framesPerMessage: number[];
  bye: string | undefined;
}

export interface TestWorkerOptions {
  readonly server: Server;
  readonly clock: Clock;
  readonly creditFrames: number;
}

/** A media worker that writes down what it hears. Its tokens are `callId epoch`. */
export class TestWorker {
  readonly links: HeardLink[] = [];
  readonly byes: Watched<HeardLink> = new Watched();
  readonly heard: Watched<number> = new Watched();
  /** While false, nothing is acknowledged. */
  acknowledges = true;
  /** While false, a new link is told nothing of what came before. */
  resumes = true;
  readonly #link: MediaLinkServer;
  readonly #creditFrames: number;
  readonly #received = new Map<string, Map<number, number>>();

  constructor({ server, clock, creditFrames }: TestWorkerOptions) {
    this.#creditFrames = creditFrames;
    this.#link = new MediaLinkServer({
      server,
      path: '/v1/media-link',
      workerId: 'w_test',
      clock,
      creditFrames,
      log: { info() {}, warn() {} },
      authorize: async (bearer) => {
        const [callId, epoch] = (bearer ?? '').split('.');
        if (!callId || !epoch) return { error: 'malformed' };
        return { callId, epoch: Number(epoch), tokenId: bearer ?? '' };
      },
      accept: async (hello) => this.#accept(hello),
    });
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** Tells how much has come; needed after `acknowledges` was false. */
  acknowledge(link: HeardLink): void {
    const streams = [...link.streams.values()]
      .filter((stream) => stream.nextSequence === undefined)
      .map(({ streamId, frames, firstSequence }) => {
        const received = frames.length > 0 ? frames.at(-1)!.sequence + 1 : firstSequence;
        return { streamId, received, durable: received };
      });
    link.session.send({ type: 'progress', streams, creditFrames: this.#creditFrames });
  }

  #accept(hello: HelloMessage): MediaLinkHandlers {
    let link: HeardLink | undefined;
    const epoch = splitTicks(BigInt(hello.mediaEpochTicks));
    const known = this.#received.get(hello.callId) ?? new Map<number, number>();
    this.#received.set(hello.callId, known);
    return {
      open: (session) => {
        const heard: HeardLink = {
          hello,
          session,
          streams: new Map(),
          discarded: [],
          framesPerMessage: [],
          bye: undefined,
        };
        link = heard;
        this.links.push(heard);
        const positions = this.resumes ? [...known] : [];
        const resume = positions.map(([streamId, durableSequence]) => ({
          streamId,
          durableSequence,
        }));
        return { resume };
      },
      frames: (cursor) => {
        if (link !== undefined) this.#hear(link, cursor, epoch);
      },
      message: (message) => {
        if (link === undefined) return;
        switch (message.type) {
          case 'streamOpen': {
            const { streamId, sourceId, firstSequence } = message;
            const frames: HeardFrame[] = [];
            const stream = { streamId, sourceId, firstSequence, frames, nextSequence: undefined };
            link.streams.set(streamId, stream);
            break;
          }
          case 'streamClose': {
            const stream = link.streams.get(message.streamId);
            if (stream !== undefined) stream.nextSequence = message.nextSequence;
            known.delete(message.streamId);
            break;
          }
          case 'discarded':
            link.discarded.push({
              streamId: message.streamId,
              firstSequence: message.firstSequence,
              frames: message.frames,
            });
            break;
          case 'bye':
            link.bye = message.reason;
            link.session.send({ type: 'finished' });
            link.session.close(1000, 'finished');
            this.byes.add(link);
            break;
          default:
        }
      },
      closed: () => {},
    };
  }

  #hear(link: HeardLink, cursor: FrameCursor, epoch: { high: number; low: number }): void {
    const known = this.#received.get(link.hello.callId);
    let count = 0;
    while (cursor.next()) {
      count += 1;
      const { bytes, payloadOffset, payloadLength, sequence } = cursor;
      const payload = bytes.slice(payloadOffset, payloadOffset + payloadLength);
      link.streams.get(cursor.streamId)?.frames.push({
        sequence,
        timeMs: relativeMs(cursor.ticksHigh, cursor.ticksLow, epoch.high, epoch.low),
        number: packetNumber(payload),
        speaker: payload[1]!,
        isReplayed: (cursor.flags & FLAG.replayed) !== 0,
      });
      known?.set(cursor.streamId, sequence + 1);
    }
    link.framesPerMessage.push(count);
    this.heard.add(count);
    if (this.acknowledges) this.acknowledge(link);
  }
}
