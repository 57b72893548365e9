import type { Server } from 'node:http';
import type { Clock } from '@earshot/async';
import type { MediaLinkHandlers, MediaLinkSession } from '@earshot/bridge';
import { MediaLinkServer } from '@earshot/bridge';
import type {
  FrameCursor,
  HelloMessage,
  HostSendMessage,
  ToneMessage,
} from '@earshot/bridge-protocol';
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
  /** Of its `streamClose`. */
  nextSequence: number | undefined;
  /** The host was told that all of it is durable. */
  isDone: boolean;
}

/** What a worker got over one link. */
export interface HeardLink {
  readonly hello: HelloMessage;
  readonly session: MediaLinkSession;
  readonly streams: Map<number, HeardStream>;
  readonly discarded: {
    streamId: number;
    firstSequence: number;
    frames: number;
    reason: string;
  }[];
  /** Keys that the host reports. */
  readonly tones: Watched<ToneMessage>;
  /** Answers of the way back. */
  readonly sendMessages: Watched<HostSendMessage>;
  /** The token that the link was opened with. */
  readonly bearer: string;
  readonly framesPerMessage: number[];
  bye: string | undefined;
}

export interface TestWorkerOptions {
  readonly server: Server;
  readonly clock: Clock;
  readonly creditFrames: number;
  /** Each `welcome` has a token of its own for the next link. */
  readonly givesResumeTokens?: boolean;
}

/** A media worker that writes down what it hears. Its tokens are `callId.epoch`, and what follows. */
export class TestWorker {
  readonly links: HeardLink[] = [];
  readonly byes: Watched<HeardLink> = new Watched();
  /** How links ended: `code reason`. */
  readonly closes: Watched<string> = new Watched();
  readonly heard: Watched<number> = new Watched();
  /** While false, nothing is acknowledged. */
  acknowledges = true;
  /** While false, a new link is told nothing of what came before. */
  resumes = true;
  /** While false, a bye is not answered: `finish` does it. */
  finishes = true;
  readonly #link: MediaLinkServer;
  creditFrames: number;
  readonly #givesResumeTokens: boolean;
  readonly #received = new Map<string, Map<number, number>>();

  constructor({ server, clock, creditFrames, givesResumeTokens = false }: TestWorkerOptions) {
    this.creditFrames = creditFrames;
    this.#givesResumeTokens = givesResumeTokens;
    this.#link = new MediaLinkServer({
      server,
      path: '/v1/media-link',
      workerId: 'w_test',
      clock,
      creditFrames,
      wayBack: true,
      log: { info() {}, warn() {} },
      authorize: async (bearer) => {
        const [callId, epoch] = (bearer ?? '').split('.');
        if (!callId || !epoch) return { error: 'malformed' };
        return { callId, epoch: Number(epoch), tokenId: bearer ?? '' };
      },
      accept: async (hello, { tokenId }) => this.#accept(hello, tokenId),
    });
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** Tells how much has come; needed after `acknowledges` was false. */
  acknowledge(link: HeardLink): void {
    const streams = [...link.streams.values()]
      .filter(({ isDone }) => !isDone)
      .map((stream) => {
        const { streamId, frames, firstSequence, nextSequence } = stream;
        const heard = frames.length > 0 ? frames.at(-1)!.sequence + 1 : firstSequence;
        const received = nextSequence ?? heard;
        stream.isDone = nextSequence !== undefined;
        const lost = received - firstSequence - frames.length;
        return { streamId, received, durable: received, lost, dropped: 0 };
      });
    link.session.send({ type: 'progress', streams, creditFrames: this.creditFrames });
  }

  /** Is done with what came over a link, and closes it. */
  finish({ session }: HeardLink): void {
    session.send({ type: 'finished' });
    session.close(1000, 'finished');
  }

  #accept(hello: HelloMessage, bearer: string): MediaLinkHandlers {
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
          tones: new Watched(),
          sendMessages: new Watched(),
          bearer,
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
        if (!this.#givesResumeTokens) return { resume };
        return { resume, resumeToken: `${hello.callId}.${hello.epoch}.${this.links.length}` };
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
            link.streams.set(streamId, {
              streamId,
              sourceId,
              firstSequence,
              frames,
              nextSequence: undefined,
              isDone: false,
            });
            break;
          }
          case 'streamClose': {
            const stream = link.streams.get(message.streamId);
            if (stream !== undefined) stream.nextSequence = message.nextSequence;
            known.set(message.streamId, message.nextSequence);
            if (this.acknowledges) this.acknowledge(link);
            break;
          }
          case 'discarded':
            link.discarded.push({
              streamId: message.streamId,
              firstSequence: message.firstSequence,
              frames: message.frames,
              reason: message.reason,
            });
            break;
          case 'tone':
            link.tones.add(message);
            break;
          case 'sendOpened':
          case 'sendProgress':
          case 'marked':
          case 'cleared':
          case 'sendClosed':
            link.sendMessages.add(message);
            break;
          case 'bye':
            link.bye = message.reason;
            if (this.finishes) this.finish(link);
            this.byes.add(link);
            break;
          default:
        }
      },
      closed: (code, reason) => this.closes.add(`${code} ${reason}`),
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
