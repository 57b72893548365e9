import type { Cancel, Clock } from '@earshot/async';
import type {
  MediaControlMessage,
  MediaLinkHandlers,
  MediaLinkOpening,
  MediaLinkSession,
} from '@earshot/bridge';
import type {
  DiscardedMessage,
  FrameCursor,
  HelloMessage,
  ToneMessage,
} from '@earshot/bridge-protocol';
import { CLOSE, relativeMs, splitTicks } from '@earshot/bridge-protocol';
import { digitOfGraphTone } from '@earshot/dtmf';
import type { StreamTotals } from '@earshot/media-session';
import {
  CLOSE_MODE,
  hostToneEvent,
  mediaStartedEvent,
  mediaStoppedEvent,
} from '@earshot/media-session';
import type { Attribution } from './attribution.js';
import { toParticipant } from './attribution.js';
import type { CallJournal } from './call-journal.js';
import type { LinkFault } from './call-streams.js';
import { CallStreams } from './call-streams.js';
import type { DecodePool } from './decode-pool.js';
import { DurablePositions } from './durable-positions.js';
import type { StreamLevel } from './levels-stream.js';
import type { WorkerLog } from './log.js';
import type { StopReason } from './stop-reason.js';
import { CLOSED_AS, GOES_ON } from './stop-reason.js';
import { nowMicros } from './thread-clock.js';

export interface CallAudioOptions {
  readonly hello: HelloMessage;
  readonly pool: DecodePool;
  readonly journal: CallJournal;
  readonly attribution: Attribution;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** Frames that the host may have on their way, over all streams. */
  readonly creditFrames: number;
  /** How long the call is kept without a link. */
  readonly linkGraceMs: number;
  /** Called once, when all is published. */
  onOver(call: CallAudio): Promise<void>;
}

/**
 * The media of one call on the I/O thread: its link, its streams, its events. It outlives its
 * link for a grace, so that a host whose connection broke finds its streams as it left them.
 */
export class CallAudio {
  readonly callId: string;
  readonly epoch: number;
  readonly streams: CallStreams;
  readonly #options: CallAudioOptions;
  readonly #durable: DurablePositions;
  readonly #mediaEpoch: { readonly high: number; readonly low: number };
  #session: MediaLinkSession | undefined;
  #started = false;
  #ending: Promise<void> | undefined;
  #cancelGrace: Cancel;
  /** Frames taken since the last progress was sent. */
  #unreported = 0;
  #strayFrames = 0;

  constructor(options: CallAudioOptions) {
    const { hello, pool, journal } = options;
    this.#options = options;
    this.callId = hello.callId;
    this.epoch = hello.epoch;
    this.#mediaEpoch = splitTicks(BigInt(hello.mediaEpochTicks));
    this.streams = new CallStreams({
      callId: hello.callId,
      epoch: hello.epoch,
      mediaEpoch: this.#mediaEpoch,
      pool,
      eager: hello.virtualTime === true,
      tell: (event) => journal.add(event),
    });
    this.#durable = new DurablePositions(this.streams, journal);
    this.#cancelGrace = this.#startGrace();
  }

  /** The host's clock is not ours: it waits for progress. */
  get virtualTime(): boolean {
    return this.#options.hello.virtualTime === true;
  }

  get ending(): boolean {
    return this.#ending !== undefined;
  }

  get linked(): boolean {
    return this.#session !== undefined;
  }

  get totals(): StreamTotals {
    return this.streams.totals();
  }

  /** Frames of streams that were not open. */
  get strayFrames(): number {
    return this.#strayFrames;
  }

  /** Whether a host that says this hello continues the call: its media clock must be the same. */
  continues(hello: HelloMessage): boolean {
    return hello.mediaEpochTicks === this.#options.hello.mediaEpochTicks;
  }

  /** The handlers of a new link; once it opens, a link before it is closed. */
  attach(): MediaLinkHandlers {
    let own: MediaLinkSession | undefined;
    const isCurrent = (): boolean => own !== undefined && own === this.#session;
    return {
      open: (session) => {
        own = session;
        return this.#linkUp(session);
      },
      frames: (cursor) => {
        if (isCurrent()) this.#frames(cursor);
      },
      message: (message) => {
        if (isCurrent()) this.#message(message);
      },
      closed: (code) => {
        if (isCurrent()) this.#linkDown(code);
      },
    };
  }

  /** Asks the host to take the call elsewhere. */
  askToLeave(reason: string): void {
    this.#session?.send({ type: 'drain', reason });
  }

  /**
   * Processes what was received, publishes all of it with the totals, then closes the link, after
   * a bye with `finished`. Idempotent: the first reason counts.
   */
  end(reason: StopReason): Promise<void> {
    this.#ending ??= this.#end(reason);
    return this.#ending;
  }

  /** Gives up what is not published. */
  abandon(): void {
    this.#options.journal.abandon();
  }

  /** Tells the host how far its streams are, if that changed. */
  sendProgress(): void {
    this.#durable.advance();
    if (this.#session === undefined) return;
    const streams = this.streams.takePositions();
    if (streams === undefined) return;
    this.#unreported = 0;
    const { creditFrames } = this.#options;
    this.#session.send({ type: 'progress', streams, creditFrames });
  }

  /** Momentary readings of its open streams. */
  levels(): StreamLevel[] {
    return Array.from(this.streams.open(), (stream) => {
      const { streamId, sourceId } = stream.identity;
      const known = sourceId === null ? undefined : this.#options.attribution.known(sourceId);
      const { levelDbfs, speaking } = stream;
      return { streamId, sourceId, participant: toParticipant(known), levelDbfs, speaking };
    });
  }

  #linkUp(session: MediaLinkSession): MediaLinkOpening {
    if (this.#ending !== undefined) {
      session.close(CLOSE.conflict, 'call_ending');
      return { resume: [] };
    }
    this.#cancelGrace();
    this.#session?.close(CLOSE.conflict, 'replaced');
    this.#session = session;
    this.streams.forgetTold();
    if (!this.#started) {
      this.#started = true;
      this.#options.journal.add(mediaStartedEvent(this.callId, this.epoch));
    }
    const resume = Array.from(this.streams.open(), (stream) => ({
      streamId: stream.identity.streamId,
      durableSequence: stream.durable,
    }));
    return { resume };
  }

  #linkDown(code: number): void {
    this.#session = undefined;
    if (this.#ending !== undefined) return;
    this.#options.log.warn('media link lost', { callId: this.callId, code });
    this.#cancelGrace = this.#startGrace();
  }

  #startGrace(): Cancel {
    const { clock, linkGraceMs } = this.#options;
    return clock.at(clock.nowMs() + linkGraceMs, () => void this.end('linkLost'));
  }

  #frames(cursor: FrameCursor): void {
    const receivedMicros = nowMicros();
    while (cursor.next()) {
      const stream = this.streams.get(cursor.streamId);
      if (stream === undefined) {
        this.#strayFrames += 1;
        continue;
      }
      stream.push(cursor, receivedMicros);
      this.#unreported += 1;
    }
    const { pool, creditFrames } = this.#options;
    pool.ringDoorbells();
    // A host with many streams uses up its credit between two beats of the clock.
    if (this.#unreported >= creditFrames / 4) this.sendProgress();
  }

  #message(message: MediaControlMessage): void {
    // After bye nothing follows; what a host sends all the same belongs to nobody.
    if (this.#ending !== undefined) return;
    switch (message.type) {
      case 'streamOpen': {
        // First: the stream's own opening is an event that names its source.
        if (message.sourceId !== undefined) this.#options.attribution.expect(message.sourceId);
        const fault = this.streams.openStream(message);
        if (fault !== undefined) this.#refuse(fault);
        return;
      }
      case 'streamClose':
        this.streams.closeStream(message.streamId, message.nextSequence);
        return;
      case 'discarded':
        this.#discarded(message);
        return;
      case 'tone':
        this.#hostTone(message);
        return;
      case 'dominantSpeaker':
        // No event depends on it yet.
        return;
      case 'bye':
        void this.end(message.reason);
        return;
      default:
      // The way back is not agreed to.
    }
  }

  #discarded({ streamId, firstSequence, frames }: DiscardedMessage): void {
    this.streams.get(streamId)?.discarded(firstSequence, frames, nowMicros());
    this.#options.pool.ringDoorbells();
  }

  #hostTone({ tone, sourceId, captureTicks }: ToneMessage): void {
    const digit = digitOfGraphTone(tone);
    if (digit === undefined) return;
    const at = splitTicks(BigInt(captureTicks));
    const startMs = relativeMs(at.high, at.low, this.#mediaEpoch.high, this.#mediaEpoch.low);
    const { journal } = this.#options;
    journal.add(hostToneEvent({ callId: this.callId, sourceId: sourceId ?? null, digit, startMs }));
  }

  async #end(reason: StopReason): Promise<void> {
    const { journal, attribution, log, onOver } = this.#options;
    const goesOn = GOES_ON.has(reason);
    this.#cancelGrace();
    this.sendProgress();
    if (goesOn) attribution.hurry();
    await this.streams.closeAll(goesOn ? CLOSE_MODE.abandon : CLOSE_MODE.end);
    if (this.#started) journal.add(this.#stoppedEvent(reason));
    try {
      await journal.flushed();
      this.#closeLink(reason);
    } catch (error) {
      log.error('events of a call were lost', { callId: this.callId, error: String(error) });
      this.#session?.close(CLOSE.internal, 'events_lost');
    }
    log.info('media of a call stopped', { callId: this.callId, reason });
    await onOver(this);
  }

  #closeLink(reason: StopReason): void {
    const closedAs = CLOSED_AS[reason];
    if (closedAs !== undefined) {
      this.#session?.close(closedAs.code, closedAs.reason);
      return;
    }
    this.#session?.send({ type: 'finished' });
    this.#session?.close(CLOSE.normal, 'finished');
  }

  #stoppedEvent(reason: StopReason): ReturnType<typeof mediaStoppedEvent> {
    return mediaStoppedEvent({
      callId: this.callId,
      epoch: this.epoch,
      streams: this.streams.closedCount,
      totals: this.streams.totals(),
      reason,
      endMs: this.streams.endMs,
    });
  }

  #refuse({ code, rule }: LinkFault): void {
    this.#options.log.warn('media link refused', { callId: this.callId, code });
    this.#session?.send({ type: 'error', code, message: `Cannot go on: ${rule}` });
    this.#session?.close(code === 'worker_busy' ? CLOSE.busy : CLOSE.protocolError, code);
  }
}
