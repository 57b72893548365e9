import type { Cancel, Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import { PTIME_MS } from '@earshot/audio';
import type {
  ByeMessage,
  HelloMessage,
  MediaState,
  ProgressMessage,
  SendCapability,
  WelcomeMessage,
} from '@earshot/bridge-protocol';
import { PROTOCOL_VERSION } from '@earshot/bridge-protocol';
import type { DecoderPool } from '@earshot/opus';
import type { Log } from '@earshot/telemetry';
import type { MeetingParticipant } from '../meetings/meeting.js';
import type { RunSink } from '../meetings/meeting-run.js';
import type { FramesSent } from './frame-sender.js';
import { HeardAudio } from './heard-audio.js';
import type { StreamAccount } from './host-stream.js';
import { HostStreams } from './host-streams.js';
import { MediaClock } from './media-clock.js';
import type { Attachment } from './media-link.js';
import { MediaLink } from './media-link.js';
import type { SendStreamState } from './send-stream.js';
import { SendStreams } from './send-streams.js';

/** What is left to send at a call's end gets this long. */
const DRAIN_MS = 10_000;
/** What the host can play: ten seconds of each of four streams. */
export const SEND_CAPABILITY: SendCapability = {
  codecs: ['opus', 'pcm16'],
  maxStreams: 4,
  bufferFrames: 500,
};

export interface MediaSessionOptions {
  readonly mediaId: string;
  readonly callId: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** How long frames are kept for a worker that is away or slow, ms. */
  readonly replayWindowMs: number;
  /** The same bound in bytes of packets, for each stream. */
  readonly replayWindowBytes: number;
  /** Media time is not the clock's: it waits for the worker. */
  readonly virtualTime: boolean;
  readonly sent: FramesSent;
  /** For audio into the meeting. */
  readonly decoders: DecoderPool;
  onState(state: MediaState, detail?: string): void;
  /** There may be room for more frames. */
  onRoom(): void;
  /** Both ends counted different losses of a stream that was received in full. */
  onMismatch(account: StreamAccount): void;
}

/** One call's audio in the media host: takes it from a meeting's run, gives it to a worker. */
export class MediaSession implements RunSink {
  readonly mediaId: string;
  readonly callId: string;
  readonly #options: MediaSessionOptions;
  readonly #streams: HostStreams;
  readonly #mediaClock: MediaClock;
  readonly #sends: SendStreams;
  /** What was played into the meeting. */
  readonly heard: HeardAudio = new HeardAudio();
  /** Graph's name for the call; undefined until it uses the blob, and for calls without Graph. */
  graphCallId: string | undefined;
  #hasBegun = false;
  #link: MediaLink | undefined;
  /** Dialled for the same epoch, while `#link` goes on. */
  #nextLink: MediaLink | undefined;
  #attachedEpoch = -1;
  #state: 'open' | 'draining' | 'ended' = 'open';
  #cancelDrain: Cancel | undefined;

  constructor(options: MediaSessionOptions) {
    this.mediaId = options.mediaId;
    this.callId = options.callId;
    this.#options = options;
    this.#mediaClock = new MediaClock(options.clock, options.virtualTime);
    this.#streams = new HostStreams({
      bounds: {
        frames: Math.max(1, Math.ceil(options.replayWindowMs / PTIME_MS)),
        bytes: options.replayWindowBytes,
      },
      sent: options.sent,
      onMismatch: (account) => options.onMismatch(account),
    });
    this.#sends = new SendStreams({
      capability: SEND_CAPABILITY,
      clock: options.clock,
      decoders: options.decoders,
      heard: this.heard,
      isActive: () => this.#hasBegun && this.#state === 'open',
      clockTicks: (mediaMs) => {
        const clock = this.#mediaClock;
        return String(mediaMs === undefined ? clock.nowTicks() : clock.ticksAt(mediaMs));
      },
    });
  }

  get isEnded(): boolean {
    return this.#state === 'ended';
  }

  /** Whether `id` is its media id, or Graph's or the bot's name for its call. */
  isCalled(id: string): boolean {
    return id === this.mediaId || id === this.callId || id === this.graphCallId;
  }

  /** What waits for the worker or for its word that it is durable, in bytes: rings, then socket. */
  get held(): { readonly ringBytes: number; readonly socketBytes: number } {
    const socketBytes = this.#link?.outlet?.bufferedBytes ?? 0;
    return { ringBytes: this.#streams.heldBytes, socketBytes };
  }

  /** What both ends counted lost, by stream and epoch. */
  accounts(): StreamAccount[] {
    return this.#streams.accounts();
  }

  /** Audio into the meeting, by stream. */
  sendStates(): SendStreamState[] {
    return this.#sends.states();
  }

  /** Frames into the meeting that belonged to no open stream. */
  get straySendFrames(): number {
    return this.#sends.strayFrames;
  }

  /** The meeting's clock starts now. */
  begin(): void {
    this.#mediaClock.begin();
    this.#hasBegun = true;
  }

  tick(meetingMs: number): void {
    this.#sends.tick(this.#mediaClock.reach(meetingMs));
  }

  join(participant: MeetingParticipant): void {
    if (this.#state === 'open') this.#streams.join(participant);
  }

  leave(participant: MeetingParticipant): void {
    this.#streams.leave(participant);
  }

  frame(participant: MeetingParticipant, frame: number, captureMs: number): void {
    this.#streams.frame(participant, frame, this.#mediaClock.reach(captureMs));
  }

  missing(participant: MeetingParticipant): void {
    this.#streams.missing(participant);
  }

  flush(): void {
    const outlet = this.#link?.outlet;
    if (outlet === undefined) return;
    this.#streams.flush(outlet, this.#mediaClock.ticks);
    if (this.#state === 'draining' && this.#streams.areCloseSent) this.#finish('callEnded');
  }

  /** For virtual time: whether each stream may get another frame without any being lost. */
  hasRoom(): boolean {
    if (this.#state !== 'open') return true;
    return this.#link?.outlet !== undefined && this.#streams.haveRoom;
  }

  /**
   * Sends the audio to a worker, from then on instead of the one before (H-10).
   *
   * @throws CodedError `stale_epoch`, `media_ended`; another when the worker can't be reached or refuses.
   */
  async attach(attachment: Attachment): Promise<void> {
    this.#requireWanted(attachment);
    const isSame = attachment.epoch === this.#attachedEpoch;
    this.#attachedEpoch = attachment.epoch;
    this.#mediaClock.start();
    void this.#nextLink?.close();
    this.#nextLink = undefined;
    if (!isSame) {
      const before = this.#link;
      this.#link = undefined;
      this.#sends.linkLost();
      await before?.leave('reattach');
      // A worker may take its time to let go: meanwhile a newer one was named, or the call ended.
      this.#requireWanted(attachment);
    }
    const link = this.#createLink(attachment);
    // No bye to the same attachment, which would end it: the worker replaces the link (O-13).
    if (this.#link === undefined) this.#link = link;
    else this.#nextLink = link;
    try {
      await link.open();
    } catch (error) {
      if (this.#link === link) this.#link = undefined;
      if (this.#nextLink === link) this.#nextLink = undefined;
      this.#requireWanted(attachment);
      throw error;
    }
  }

  /** The call is over: what is left is sent, then the worker is told. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#sends.endAll();
    this.#streams.closeAll();
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
    this.#sends.endAll();
    this.#link?.send({ type: 'bye', reason: 'shutdown' });
    await Promise.all([this.#link?.close(), this.#nextLink?.close()]);
  }

  #requireWanted({ epoch }: Attachment): void {
    if (this.isEnded) throw mediaEnded();
    if (epoch < this.#attachedEpoch) throw staleEpoch(epoch, this.#attachedEpoch);
  }

  #createLink(attachment: Attachment): MediaLink {
    const { clock, random, log, replayWindowMs } = this.#options;
    const link: MediaLink = new MediaLink({
      attachment,
      clock,
      random,
      log,
      replayWindowMs,
      hello: () => this.#hello(attachment.epoch),
      nowTicks: () => this.#mediaClock.nowTicks(),
      handlers: {
        opened: (welcome) => this.#onOpened(link, welcome),
        progress: (progress) => this.#onProgress(link, progress),
        drain: () => this.#tell(link, 'active', 'drain_requested'),
        send: {
          frames: (cursor) => {
            if (this.#link === link) this.#sends.frames(cursor);
          },
          message: (message) => {
            if (this.#link === link) this.#sends.message(message);
          },
        },
        interrupted: () => this.#onInterrupted(link),
        failed: (detail) => this.#onLinkFailed(link, detail),
      },
    });
    return link;
  }

  #hello(epoch: number): HelloMessage {
    return {
      type: 'hello',
      version: PROTOCOL_VERSION,
      callId: this.callId,
      mediaId: this.mediaId,
      epoch,
      mediaEpochTicks: this.#mediaClock.epochTicks.toString(),
      clockNowTicks: this.#mediaClock.nowTicks().toString(),
      replayWindowMs: this.#options.replayWindowMs,
      virtualTime: this.#options.virtualTime,
      send: SEND_CAPABILITY,
    };
  }

  #onOpened(link: MediaLink, welcome: WelcomeMessage): void {
    if (this.#nextLink === link) {
      this.#nextLink = undefined;
      void this.#link?.close();
      this.#link = link;
    }
    if (this.#link !== link) {
      void link.close();
      return;
    }
    this.#streams.restart(welcome.resume, link.epoch, welcome.creditFrames);
    this.#sends.linkOpened(welcome.send === true ? link : undefined);
    this.#options.onState('active');
    this.flush();
    this.#options.onRoom();
  }

  /** A link that is left still tells what became of its frames. */
  #onProgress(link: MediaLink, progress: ProgressMessage): void {
    if (link.epoch !== this.#streams.epoch) return;
    this.#streams.progress(progress);
    this.flush();
    this.#options.onRoom();
  }

  #onInterrupted(link: MediaLink): void {
    if (this.#link === link) this.#sends.linkLost();
    this.#tell(link, 'inactive', 'link_interrupted');
  }

  #onLinkFailed(link: MediaLink, detail: string): void {
    if (this.#link !== link) return;
    this.#sends.linkLost();
    this.#link = this.#nextLink;
    this.#nextLink = undefined;
    if (this.#link !== undefined) return;
    if (this.#state === 'draining') this.#finish('callEnded');
    else this.#options.onState('failed', detail);
  }

  #tell(link: MediaLink, state: MediaState, detail: string): void {
    if (this.#link === link && this.#state !== 'ended') this.#options.onState(state, detail);
  }

  #finish(reason: ByeMessage['reason']): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#cancelDrain?.();
    this.#sends.endAll();
    const link = this.#link;
    this.#link = undefined;
    void this.#nextLink?.close();
    this.#nextLink = undefined;
    this.#options.onRoom();
    const ended = (): void => {
      this.#streams.end();
      this.#options.onState('ended', reason);
    };
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

function staleEpoch(epoch: number, attached: number): CodedError {
  return new CodedError(
    'stale_epoch',
    `Cannot attach: the epoch must not be below ${attached}, got ${epoch}`,
  );
}
