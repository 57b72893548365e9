import type {
  MediaHostMessage,
  ProgressMessage,
  ResumePosition,
  StreamProgress,
} from '@earshot/bridge-protocol';
import type { MeetingParticipant } from '../meetings/meeting.js';
import type { FrameOutlet, FramesSent } from './frame-sender.js';
import { FrameSender, hasRoom, maySend } from './frame-sender.js';
import type { StreamAccount } from './host-stream.js';
import { HostStream } from './host-stream.js';
import type { MediaTicks } from './media-ticks.js';
import type { StreamRingBounds } from './stream-ring.js';

/** What Teams gives a media host is captured at this rate. */
const CAPTURE_RATE_HZ = 16_000;
/** Accounts of streams and epochs that are over; the oldest are forgotten. */
const MAX_ACCOUNTS = 256;

/** The part of a media link that streams go through. */
export interface StreamOutlet extends FrameOutlet {
  send(message: MediaHostMessage): void;
}

export interface HostStreamsOptions {
  /** Of each stream's ring. */
  readonly bounds: StreamRingBounds;
  readonly sent: FramesSent;
  /** All of a stream was received, and both ends count different losses. */
  onMismatch(account: StreamAccount): void;
}

/** The streams of one call, over all its links: what is sent, kept, given up and counted. */
export class HostStreams {
  readonly #options: HostStreamsOptions;
  readonly #sender: FrameSender;
  #streams: HostStream[] = [];
  readonly #streamOf = new Map<MeetingParticipant, HostStream>();
  readonly #settled: StreamAccount[] = [];
  #count = 0;
  #epoch = -1;
  #creditFrames = 0;

  constructor(options: HostStreamsOptions) {
    this.#options = options;
    this.#sender = new FrameSender(options.sent);
  }

  /** Of the last link that opened; -1 before the first. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The present link was told of the end of all of them. */
  get areCloseSent(): boolean {
    return this.#streams.every(({ isCloseSent }) => isCloseSent);
  }

  /** What the rings hold, in bytes of packets. */
  get heldBytes(): number {
    return this.#streams.reduce((sum, { ring }) => sum + ring.bytes, 0);
  }

  /** For virtual time: whether each may get another frame without any being lost. */
  get haveRoom(): boolean {
    return this.#streams.every(({ ring, inFlight, isClosed }) => {
      const waiting = ring.unsent + inFlight;
      return isClosed || (waiting < ring.bounds.frames && waiting < this.#creditFrames);
    });
  }

  /** What both ends counted lost: of streams and epochs that are over, then of the present. */
  accounts(): StreamAccount[] {
    return [...this.#settled, ...this.#streams.map(({ account }) => account)];
  }

  join(participant: MeetingParticipant): void {
    this.#count += 1;
    const stream = new HostStream(this.#count, participant, this.#options.bounds);
    stream.begin(this.#epoch);
    this.#streams.push(stream);
    this.#streamOf.set(participant, stream);
  }

  leave(participant: MeetingParticipant): void {
    this.#streamOf.get(participant)?.close();
    this.#streamOf.delete(participant);
  }

  closeAll(): void {
    for (const participant of [...this.#streamOf.keys()]) this.leave(participant);
  }

  frame(participant: MeetingParticipant, frame: number, captureMs: number): void {
    this.#streamOf.get(participant)?.push(frame, captureMs);
  }

  missing(participant: MeetingParticipant): void {
    this.#streamOf.get(participant)?.skip();
  }

  /** A link is open: the worker knows only what `resume` says. */
  restart(resume: readonly ResumePosition[], epoch: number, creditFrames: number): void {
    if (epoch !== this.#epoch) for (const stream of this.#streams) this.#settle(stream);
    this.#epoch = epoch;
    this.#creditFrames = creditFrames;
    const positions = new Map(resume.map((r) => [r.streamId, r.durableSequence]));
    for (const stream of this.#streams) stream.restart(positions.get(stream.streamId), epoch);
    this.#dropOver();
  }

  progress({ streams, creditFrames }: ProgressMessage): void {
    this.#creditFrames = creditFrames;
    const positions = new Map<number, StreamProgress>(streams.map((p) => [p.streamId, p]));
    for (const stream of this.#streams) {
      const position = positions.get(stream.streamId);
      if (position === undefined) stream.unlisted();
      else stream.acknowledge(position);
    }
    this.#dropOver();
  }

  /** Sends what the worker and the socket take. */
  flush(outlet: StreamOutlet, ticks: MediaTicks): void {
    for (const stream of this.#streams) announce(stream, outlet);
    // Told with the next frame, not with each that is lost: there may be many.
    if (hasRoom(outlet)) {
      for (const stream of this.#streams) {
        if (maySend(stream, this.#creditFrames)) announceGone(stream, outlet);
      }
    }
    this.#sender.send(this.#streams, ticks, this.#creditFrames, outlet);
    for (const stream of this.#streams) announceClose(stream, outlet);
  }

  /** Nothing is sent any more; the accounts stay. */
  end(): void {
    for (const stream of this.#streams) this.#settle(stream);
    this.#streams = [];
    this.#streamOf.clear();
  }

  #dropOver(): void {
    for (const stream of this.#streams) if (stream.isOver) this.#settle(stream);
    this.#streams = this.#streams.filter(({ isOver }) => !isOver);
  }

  #settle(stream: HostStream): void {
    const { account } = stream;
    if (account.epoch < 0) return;
    this.#settled.push(account);
    if (this.#settled.length > MAX_ACCOUNTS) this.#settled.shift();
    const { isComplete, lost, workerLost } = account;
    if (!isComplete || workerLost === undefined || workerLost === lost >>> 0) return;
    this.#options.onMismatch(account);
  }
}

function announce(stream: HostStream, outlet: StreamOutlet): void {
  if (stream.isAnnounced) return;
  stream.isAnnounced = true;
  outlet.send({
    type: 'streamOpen',
    streamId: stream.streamId,
    kind: 'unmixed',
    sourceId: stream.participant.sourceId,
    codec: 'opus',
    sampleRateHz: CAPTURE_RATE_HZ,
    firstSequence: stream.start,
  });
}

function announceGone(stream: HostStream, outlet: StreamOutlet): void {
  const { streamId, ring } = stream;
  for (let gone = ring.takeGone(); gone !== undefined; gone = ring.takeGone()) {
    outlet.send({ type: 'discarded', streamId, ...gone });
    stream.passed((gone.firstSequence + gone.frames) >>> 0);
  }
}

function announceClose(stream: HostStream, outlet: StreamOutlet): void {
  if (!stream.isClosed || stream.isCloseSent || stream.ring.unsent > 0) return;
  announceGone(stream, outlet);
  stream.isCloseSent = true;
  const { streamId, nextSequence } = stream;
  stream.passed(nextSequence);
  outlet.send({ type: 'streamClose', streamId, nextSequence });
}
