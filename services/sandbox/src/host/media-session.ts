import type { Cancel, Clock } from '@earshot/async';
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
import { graphToneOf } from '@earshot/dtmf';
import type { DecoderPool } from '@earshot/opus';
import type { Log } from '@earshot/telemetry';
import type { MeetingParticipant } from '../meetings/meeting.js';
import type { RunSink } from '../meetings/meeting-run.js';
import type { FramesSent } from './frame-sender.js';
import { HeardAudio } from './heard-audio.js';
import type { StreamAccount } from './host-stream.js';
import { HostStreams } from './host-streams.js';
import { MediaClock } from './media-clock.js';
import type { Attachment, MediaLink } from './media-link.js';
import type { SendStreamState } from './send-stream.js';
import { SendStreams } from './send-streams.js';
import { WorkerLinks } from './worker-links.js';

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
  readonly #links: WorkerLinks;
  /** What was played into the meeting. */
  readonly heard: HeardAudio = new HeardAudio();
  /** Graph's name for the call; undefined until it uses the blob, and for calls without Graph. */
  graphCallId: string | undefined;
  #hasBegun = false;
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
    this.#sends = this.#createSends();
    this.#links = this.#createLinks();
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
    const socketBytes = this.#links.current?.outlet?.bufferedBytes ?? 0;
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
    this.#tellTones(participant, captureMs);
    this.#streams.frame(participant, frame, this.#mediaClock.reach(captureMs));
  }

  missing(participant: MeetingParticipant): void {
    this.#streams.missing(participant);
  }

  flush(): void {
    const outlet = this.#links.current?.outlet;
    if (outlet === undefined) return;
    this.#streams.flush(outlet, this.#mediaClock.ticks);
    if (this.#state === 'draining' && this.#streams.areCloseSent) this.#finish('callEnded');
  }

  /** For virtual time: whether each stream may get another frame without any being lost. */
  hasRoom(): boolean {
    if (this.#state !== 'open') return true;
    return this.#links.current?.outlet !== undefined && this.#streams.haveRoom;
  }

  /**
   * Sends the audio to a worker, from then on instead of the one before (H-10).
   *
   * @throws CodedError `stale_epoch`, `media_ended`; another when the worker can't be reached or refuses.
   */
  attach(attachment: Attachment): Promise<void> {
    this.#mediaClock.start();
    return this.#links.attach(attachment);
  }

  /** The call is over: what is left is sent, to another worker too, then the worker is told. */
  end(): void {
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#sends.endAll();
    this.#streams.closeAll();
    // Where no worker has come yet, one may be on its way (H-20).
    const isNobodys = this.#links.current === undefined && this.#streams.epoch < 0;
    if (isNobodys && this.#streams.heldBytes === 0) {
      this.#finish('callEnded');
      return;
    }
    const { clock } = this.#options;
    this.#cancelDrain = clock.at(clock.nowMs() + DRAIN_MS, () => this.#finish('callEnded'));
    this.flush();
  }

  /** Nobody wants the audio any more. A call that is over still gives its worker all that was said. */
  release(): void {
    const isGiving = this.#state === 'draining' && this.#links.current !== undefined;
    if (!isGiving) this.#finish('released');
  }

  /** Ends at once. */
  async shutDown(): Promise<void> {
    this.#state = 'ended';
    this.#cancelDrain?.();
    this.#sends.endAll();
    await this.#links.shutDown();
  }

  /** What the platform is told of keys comes at once, by no stream; without a link it is lost. */
  #tellTones({ sourceId, toneEvents = [] }: MeetingParticipant, captureMs: number): void {
    for (const { digit, startMs } of toneEvents) {
      if (startMs < captureMs || startMs >= captureMs + PTIME_MS) continue;
      const captureTicks = String(this.#mediaClock.ticksAt(this.#mediaClock.reach(startMs)));
      const tone = graphToneOf(digit);
      this.#links.current?.send({ type: 'tone', tone, sourceId, captureTicks });
    }
  }

  #createSends(): SendStreams {
    const { clock, decoders } = this.#options;
    return new SendStreams({
      capability: SEND_CAPABILITY,
      clock,
      decoders,
      heard: this.heard,
      isActive: () => this.#hasBegun && this.#state === 'open',
      clockTicks: (mediaMs) => {
        const media = this.#mediaClock;
        return String(mediaMs === undefined ? media.nowTicks() : media.ticksAt(mediaMs));
      },
    });
  }

  #createLinks(): WorkerLinks {
    const { clock, random, log, replayWindowMs, onState } = this.#options;
    return new WorkerLinks({
      clock,
      random,
      log,
      replayWindowMs,
      hello: (attachment) => this.#hello(attachment),
      nowTicks: () => this.#mediaClock.nowTicks(),
      handlers: {
        opened: (link, welcome) => this.#onOpened(link, welcome),
        progress: (progress, epoch) => this.#onProgress(progress, epoch),
        drain: () => onState('active', 'drain_requested'),
        send: this.#sends,
        gone: () => this.#sends.linkLost(),
        interrupted: () => onState('inactive', 'link_interrupted'),
        failed: (detail) => onState('failed', detail),
      },
    });
  }

  #hello({ epoch, traceparent }: Attachment): HelloMessage {
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
      ...(traceparent === undefined ? {} : { traceparent }),
    };
  }

  #onOpened(link: MediaLink, welcome: WelcomeMessage): void {
    this.#streams.restart(welcome.resume, link.epoch, welcome.creditFrames);
    this.#sends.linkOpened(welcome.send === true ? link : undefined);
    this.#options.onState('active');
    this.flush();
    this.#options.onRoom();
  }

  /** A link that is left still tells what became of its frames. */
  #onProgress(progress: ProgressMessage, epoch: number): void {
    if (epoch !== this.#streams.epoch) return;
    this.#streams.progress(progress);
    this.flush();
    this.#options.onRoom();
  }

  #finish(reason: ByeMessage['reason']): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#cancelDrain?.();
    this.#sends.endAll();
    const isLinked = this.#links.current !== undefined;
    const left = this.#links.end(reason);
    this.#options.onRoom();
    const ended = (): void => {
      this.#streams.end();
      this.#options.onState('ended', reason);
    };
    if (isLinked) left.then(ended, ended);
    else ended();
  }
}
