import type { Cancel, Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import { PTIME_MS } from '@earshot/audio';
import type {
  ByeMessage,
  HelloMessage,
  MediaState,
  ProgressMessage,
  WelcomeMessage,
} from '@earshot/bridge-protocol';
import { joinTicks, PROTOCOL_VERSION, splitTicks } from '@earshot/bridge-protocol';
import type { Log } from '@earshot/telemetry';
import type { MeetingParticipant } from '../meetings/meeting.js';
import type { RunSink } from '../meetings/meeting-run.js';
import type { FramesSent } from './frame-sender.js';
import { FrameSender, framesInFlight } from './frame-sender.js';
import { HostStream } from './host-stream.js';
import type { Attachment } from './media-link.js';
import { MediaLink } from './media-link.js';
import { MediaTicks, ntpTicks } from './media-ticks.js';

/** What is left to send at a call's end gets this long. */
const DRAIN_MS = 10_000;
/** What Teams gives a media host is captured at this rate. */
const CAPTURE_RATE_HZ = 16_000;

export interface MediaSessionOptions {
  readonly mediaId: string;
  readonly callId: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** How long frames are kept for a worker that is away or slow, ms. */
  readonly replayWindowMs: number;
  /** Media time is not the clock's: it waits for the worker. */
  readonly virtualTime: boolean;
  readonly sent: FramesSent;
  onState(state: MediaState, detail?: string): void;
  /** There may be room for more frames. */
  onRoom(): void;
}

/** One call's audio in the media host: takes it from a meeting's run, gives it to a worker. */
export class MediaSession implements RunSink {
  readonly mediaId: string;
  readonly callId: string;
  readonly #options: MediaSessionOptions;
  readonly #sender: FrameSender;
  readonly #ringFrames: number;
  #streams: HostStream[] = [];
  readonly #streamOf = new Map<MeetingParticipant, HostStream>();
  #streamCount = 0;
  #ticks: MediaTicks | undefined;
  #epochTicks = 0n;
  #epochNowMs = 0;
  /** Media time at which the meeting began. */
  #originMs = 0;
  #latestMs = 0;
  #link: MediaLink | undefined;
  #attachedEpoch = -1;
  #creditFrames = 0;
  #state: 'open' | 'draining' | 'ended' = 'open';
  #cancelDrain: Cancel | undefined;

  constructor(options: MediaSessionOptions) {
    this.mediaId = options.mediaId;
    this.callId = options.callId;
    this.#options = options;
    this.#sender = new FrameSender(options.sent);
    this.#ringFrames = Math.ceil(options.replayWindowMs / PTIME_MS);
  }

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  /** The meeting's clock starts now. */
  begin(): void {
    this.#startClock();
    if (this.#options.virtualTime) return;
    this.#originMs = Math.round(this.#options.clock.nowMs() - this.#epochNowMs);
  }

  join(participant: MeetingParticipant): void {
    if (this.#state !== 'open') return;
    this.#streamCount += 1;
    const stream = new HostStream(this.#streamCount, participant, this.#ringFrames);
    this.#streams.push(stream);
    this.#streamOf.set(participant, stream);
  }

  leave(participant: MeetingParticipant): void {
    this.#streamOf.get(participant)?.close();
    this.#streamOf.delete(participant);
  }

  frame(participant: MeetingParticipant, frame: number, captureMs: number): void {
    this.#latestMs = this.#originMs + captureMs;
    this.#streamOf.get(participant)?.push(frame, this.#latestMs);
  }

  missing(participant: MeetingParticipant): void {
    this.#streamOf.get(participant)?.skip();
  }

  flush(): void {
    const outlet = this.#link?.outlet;
    if (outlet === undefined || this.#ticks === undefined) return;
    for (const stream of this.#streams) this.#announce(stream);
    // Told with the next frame, not with each that is lost: there may be many.
    const hasCredit = this.#creditFrames > framesInFlight(this.#streams);
    for (const stream of this.#streams) {
      if (hasCredit && stream.ring.isReady) this.#announceLoss(stream);
    }
    this.#sender.send(this.#streams, this.#ticks, this.#creditFrames, outlet);
    for (const stream of this.#streams) this.#announceClose(stream);
    if (this.#state === 'draining' && this.#streams.every((s) => s.isCloseSent)) {
      this.#finish('callEnded');
    }
  }

  /** For virtual time: whether each stream may get another frame without any being lost. */
  hasRoom(): boolean {
    if (this.#state !== 'open') return true;
    if (this.#link?.outlet === undefined) return false;
    let waiting = 0;
    for (const { ring } of this.#streams) {
      if (ring.unsent + ring.inFlight >= ring.capacity) return false;
      waiting += ring.unsent;
    }
    return waiting + framesInFlight(this.#streams) < this.#creditFrames;
  }

  /**
   * Sends the audio to a worker, from then on instead of the one before.
   *
   * @throws CodedError `stale_epoch`, `media_ended`; another when the worker can't be reached or refuses.
   */
  async attach(attachment: Attachment): Promise<void> {
    if (attachment.epoch < this.#attachedEpoch) throw staleEpoch(attachment, this.#attachedEpoch);
    const isSame = attachment.epoch === this.#attachedEpoch;
    this.#attachedEpoch = attachment.epoch;
    this.#startClock();
    const before = this.#link;
    this.#link = undefined;
    // A bye would end the attachment for good at the worker that goes on with it (H-10).
    if (isSame) await before?.close();
    else await before?.leave('reattach');
    // A worker may take its time to let go: meanwhile a newer one was named, or the call ended.
    if (attachment.epoch < this.#attachedEpoch) throw staleEpoch(attachment, this.#attachedEpoch);
    if (this.isEnded) throw mediaEnded();
    const link: MediaLink = new MediaLink({
      attachment,
      clock: this.#options.clock,
      random: this.#options.random,
      log: this.#options.log,
      hello: () => this.#hello(attachment.epoch),
      nowTicks: () => this.#nowTicks(),
      handlers: {
        opened: (welcome) => this.#onOpened(link, welcome),
        progress: (progress) => this.#onProgress(progress),
        drain: () => this.#options.onState('active', 'drain_requested'),
        interrupted: () => this.#options.onState('inactive', 'link_interrupted'),
        failed: (detail) => this.#onLinkFailed(link, detail),
      },
    });
    this.#link = link;
    try {
      await link.open();
    } catch (error) {
      if (this.#link === link) this.#link = undefined;
      throw error;
    }
  }

  /** The call is over: what is left is sent, then the worker is told. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    for (const participant of [...this.#streamOf.keys()]) this.leave(participant);
    if (this.#link === undefined) {
      this.#finish('callEnded');
      return;
    }
    const { clock } = this.#options;
    this.#cancelDrain = clock.at(clock.nowMs() + DRAIN_MS, () => this.#finish('callEnded'));
    this.flush();
  }

  /** Nobody wants the audio any more. A call that is over still gets all that was said. */
  release(): void {
    if (this.#state === 'open') this.#finish('released');
  }

  /** Ends at once. */
  async shutDown(): Promise<void> {
    this.#state = 'ended';
    this.#cancelDrain?.();
    this.#link?.send({ type: 'bye', reason: 'shutdown' });
    await this.#link?.close();
  }

  #startClock(): void {
    if (this.#ticks !== undefined) return;
    this.#epochTicks = ntpTicks(this.#options.clock.wallclockMs());
    this.#epochNowMs = this.#options.clock.nowMs();
    const { high, low } = splitTicks(this.#epochTicks);
    this.#ticks = new MediaTicks(high, low);
  }

  #hello(epoch: number): HelloMessage {
    return {
      type: 'hello',
      version: PROTOCOL_VERSION,
      callId: this.callId,
      mediaId: this.mediaId,
      epoch,
      mediaEpochTicks: this.#epochTicks.toString(),
      clockNowTicks: this.#nowTicks().toString(),
      replayWindowMs: this.#options.replayWindowMs,
      virtualTime: this.#options.virtualTime,
    };
  }

  #nowTicks(): bigint {
    const { clock, virtualTime } = this.#options;
    if (!virtualTime) return ntpTicks(clock.wallclockMs());
    const now = this.#ticks!;
    now.set(this.#latestMs);
    return joinTicks(now.high, now.low);
  }

  #onOpened(link: MediaLink, welcome: WelcomeMessage): void {
    if (this.#link !== link) return;
    const positions = new Map(welcome.resume.map((r) => [r.streamId, r.durableSequence]));
    for (const stream of this.#streams) {
      stream.restart(positions.get(stream.streamId));
    }
    this.#creditFrames = welcome.creditFrames;
    this.#options.onState('active');
    this.flush();
    this.#options.onRoom();
  }

  #onProgress(progress: ProgressMessage): void {
    this.#creditFrames = progress.creditFrames;
    const positions = new Map(progress.streams.map((position) => [position.streamId, position]));
    this.#streams = this.#streams.filter((stream) => {
      const position = positions.get(stream.streamId);
      if (position !== undefined) stream.acknowledge(position.received, position.durable);
      // A worker that knows a closed stream no more has all of it.
      return position !== undefined || !stream.isCloseSent;
    });
    this.flush();
    this.#options.onRoom();
  }

  #onLinkFailed(link: MediaLink, detail: string): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    if (this.#state === 'draining') this.#finish('callEnded');
    else this.#options.onState('failed', detail);
  }

  #announce(stream: HostStream): void {
    if (stream.isAnnounced) return;
    stream.isAnnounced = true;
    this.#link?.send({
      type: 'streamOpen',
      streamId: stream.streamId,
      kind: 'unmixed',
      sourceId: stream.participant.sourceId,
      codec: 'opus',
      sampleRateHz: CAPTURE_RATE_HZ,
      firstSequence: stream.received,
    });
  }

  #announceLoss({ streamId, ring }: HostStream): void {
    const lost = ring.takeLost();
    if (lost === undefined) return;
    this.#link?.send({ type: 'discarded', streamId, ...lost, reason: 'overflow' });
  }

  #announceClose(stream: HostStream): void {
    if (!stream.isClosed || stream.isCloseSent || stream.ring.unsent > 0) return;
    this.#announceLoss(stream);
    stream.isCloseSent = true;
    const { streamId, nextSequence } = stream;
    this.#link?.send({ type: 'streamClose', streamId, nextSequence });
  }

  #finish(reason: ByeMessage['reason']): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#cancelDrain?.();
    const link = this.#link;
    this.#link = undefined;
    this.#streams = [];
    this.#streamOf.clear();
    this.#options.onRoom();
    const ended = (): void => this.#options.onState('ended', reason);
    if (link === undefined) ended();
    else link.leave(reason).then(ended, ended);
  }
}

function mediaEnded(): CodedError {
  return new CodedError(
    'media_ended',
    'Cannot attach: the media session must not be over, it ended meanwhile',
  );
}

function staleEpoch({ epoch }: Attachment, attached: number): CodedError {
  return new CodedError(
    'stale_epoch',
    `Cannot attach: the epoch must not be below ${attached}, got ${epoch}`,
  );
}
