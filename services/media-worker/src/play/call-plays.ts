import type { Cancel, Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { MediaLinkSession } from '@earshot/bridge';
import type { FrameBatchWriter, HostSendMessage } from '@earshot/bridge-protocol';
import { LIMITS } from '@earshot/bridge-protocol';
import { listOggOpus } from '@earshot/opus';
import type { PlayRecord, PlayStore } from '@earshot/registry';
import { isOver } from '@earshot/registry';
import type { WorkerLog } from '../log.js';
import type { PlayCounts } from './play-counts.js';
import type { PlayEventDraft } from './play-events.js';
import { mediaTimeOf, playEndedEvent, playStartedEvent } from './play-events.js';
import type { SendOutcome } from './send-stream.js';
import { SendStream } from './send-stream.js';

/** Where a call's events go; its journal. */
export interface PlayJournal {
  add(draft: PlayEventDraft): void;
  /** Resolves once everything added so far is in Redis. */
  flushed(): Promise<void>;
}

export interface CallPlaysOptions {
  readonly callId: string;
  readonly epoch: number;
  readonly mediaEpochTicks: string;
  readonly store: PlayStore;
  readonly journal: PlayJournal;
  /** Shared by all calls: it is used within one turn only. */
  readonly writer: FrameBatchWriter;
  readonly counts: PlayCounts;
  readonly clock: Clock;
  readonly log: WorkerLog;
}

/** What sounds now. */
interface Current {
  readonly play: PlayRecord;
  readonly stream: SendStream;
  /** Media time at which it ended, once it has. */
  endMs?: number;
  result?: SendOutcome;
  /** What the record does not say yet. */
  unnoted?: Partial<PlayRecord>;
}

const FRAME_MS = 20;
/** An hour: more than signaling lets in. */
const MAX_FRAMES = 180_000;
/** How long a link that is full is left alone. */
const BLOCKED_MS = 100;
const MAX_STREAM_ID = 0xffff;

/**
 * Plays what waits for one call into its meeting, one after the other, over whatever link there is.
 * All that must survive this worker stands in the store: another worker goes on from there, under
 * the same `sendId`. Holds the audio of one play at a time.
 */
export class CallPlays {
  readonly #options: CallPlaysOptions;
  #session: MediaLinkSession | undefined;
  #current: Current | undefined;
  #streamId = 0;
  #isDirty = false;
  #isEnded = false;
  #working: Promise<void> | undefined;
  #cancelOpening: Cancel = () => {};
  #cancelBlocked: Cancel | undefined;

  constructor(options: CallPlaysOptions) {
    this.#options = options;
  }

  /** A link opened, and its `welcome` goes out when this turn is over. */
  linkUp(session: MediaLinkSession): void {
    this.#session = session;
    this.#current?.stream.detach();
    const { store, callId, log } = this.#options;
    const canPlay = session.wayBack?.codecs.includes('opus') === true;
    store.noteHost(callId, canPlay).catch((error: unknown) => {
      log.warn('not noted whether the host can play', { callId, error: String(error) });
    });
    queueMicrotask(() => {
      if (this.#session !== session) return;
      if (this.#current !== undefined) this.#open(this.#current.stream);
      this.wake();
    });
  }

  /** The link is over; the call may get another. */
  linkDown(): void {
    this.#session = undefined;
    this.#cancelOpening();
    this.#current?.stream.detach();
  }

  /** What the host says of send streams. */
  message(message: HostSendMessage): void {
    if (message.type === 'sendProgress') {
      const stream = this.#current?.stream;
      const own = message.streams.find(({ streamId }) => streamId === stream?.streamId);
      if (own !== undefined) stream?.progress(own);
      return;
    }
    const stream = this.#current?.stream;
    const isOwn = stream?.streamId === message.streamId && this.#current?.result === undefined;
    switch (message.type) {
      case 'sendOpened':
        if (isOwn) {
          this.#cancelOpening();
          stream.opened(message);
        } else this.#dismiss(message.streamId, message.nextSequence);
        return;
      case 'marked':
        if (isOwn) stream.marked(message);
        return;
      case 'sendClosed':
        if (!isOwn) return;
        this.#cancelOpening();
        stream.closed(message);
        return;
      case 'cleared':
        // `sendClosed` follows, and says the same.
        return;
    }
  }

  /** Something may have changed in the store: looks, soon. */
  wake(): void {
    if (this.#isEnded) return;
    this.#isDirty = true;
    this.#working ??= this.#work();
  }

  /**
   * Stops. With `goesOn` what sounds is left to the next worker; otherwise everything that waits
   * has failed. Resolves when that is told, as far as the store can be reached.
   */
  async end(goesOn: boolean): Promise<void> {
    this.#isEnded = true;
    this.#cancelOpening();
    this.#cancelBlocked?.();
    await this.#working;
    if (!goesOn) this.#current?.stream.fail('media_ended');
    try {
      await this.#noteCurrent();
      if (!goesOn) await this.#failAll('media_ended');
    } catch (error) {
      this.#tellFailure(error);
    }
    this.#current?.stream.detach();
    this.#session = undefined;
  }

  /** One at a time, so that nothing here is done twice. */
  async #work(): Promise<void> {
    while (this.#isDirty && !this.#isEnded) {
      this.#isDirty = false;
      try {
        await this.#look();
      } catch (error) {
        // Redis is away, or a record is broken: the next look may help.
        this.#tellFailure(error);
        break;
      }
    }
    this.#working = undefined;
  }

  async #look(): Promise<void> {
    await this.#noteCurrent();
    if (this.#session === undefined) return;
    for (const play of await this.#options.store.waiting(this.#options.callId)) {
      if (this.#isEnded) return;
      await this.#consider(play);
    }
  }

  async #consider(play: PlayRecord): Promise<void> {
    if (isOver(play)) await this.#tellEnd(play, undefined);
    else if (play.playId === this.#current?.play.playId) {
      if (play.clearRequested === true) this.#current.stream.clear();
    } else if (play.clearRequested === true && play.epoch === undefined) {
      await this.#finish(play, { outcome: 'cleared', playedFrames: 0 });
    } else if (this.#current === undefined) await this.#start(play);
  }

  async #start(play: PlayRecord): Promise<void> {
    if (this.#session === undefined) return;
    if (this.#session.wayBack?.codecs.includes('opus') !== true) {
      await this.#finish(play, failed('host_cannot_play'));
      return;
    }
    const packets = await this.#packetsOf(play);
    if (packets === undefined) {
      await this.#finish(play, failed('audio_lost'));
      return;
    }
    const claimed = await this.#note(play, {});
    if (claimed === undefined || isOver(claimed)) return;
    const current: Current = { play: claimed, stream: this.#streamOf(claimed, packets) };
    this.#current = current;
    if (claimed.clearRequested === true) current.stream.clear();
    this.#open(current.stream);
  }

  async #packetsOf({ callId, playId }: PlayRecord): Promise<readonly Uint8Array[] | undefined> {
    const audio = await this.#options.store.audio(callId, playId);
    if (audio === undefined) return undefined;
    try {
      return listOggOpus(audio, MAX_FRAMES).packets;
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      this.#tellFailure(error);
      return undefined;
    }
  }

  #streamOf(play: PlayRecord, packets: readonly Uint8Array[]): SendStream {
    const { writer, journal, mediaEpochTicks } = this.#options;
    this.#streamId = (this.#streamId % MAX_STREAM_ID) + 1;
    const later = (unnoted: Partial<PlayRecord>): void => {
      const current = this.#current;
      if (current?.play.playId !== play.playId) return;
      current.unnoted = { ...current.unnoted, ...unnoted };
      this.wake();
    };
    const stream: SendStream = new SendStream({
      streamId: this.#streamId,
      sendId: play.playId,
      sampleRateHz: play.sampleRateHz,
      packets,
      writer,
      isReceived: play.isReceived === true,
      onBegan: (clockTicks) => {
        const startMs = mediaTimeOf(clockTicks, mediaEpochTicks) - FRAME_MS;
        journal.add(playStartedEvent(play, startMs));
        later({ state: 'playing' });
      },
      onReceived: () => later({ isReceived: true }),
      onBlocked: () => this.#pumpLater(stream),
      onOver: (result) => {
        const current = this.#current;
        if (current?.stream !== stream) return;
        current.result = result;
        const { endedTicks } = stream;
        if (endedTicks !== undefined) current.endMs = mediaTimeOf(endedTicks, mediaEpochTicks);
        this.wake();
      },
    });
    return stream;
  }

  #open(stream: SendStream): void {
    const session = this.#session;
    if (session === undefined) return;
    if (session.wayBack === undefined) {
      stream.fail('host_cannot_play');
      return;
    }
    stream.open(session);
    const { clock } = this.#options;
    this.#cancelOpening();
    this.#cancelOpening = clock.at(clock.nowMs() + LIMITS.sendOpenTimeoutMs, () =>
      stream.openTimedOut(),
    );
  }

  /** A stream that was given up when the host was slow to open it. */
  #dismiss(streamId: number, nextSequence: number): void {
    this.#session?.send({ type: 'clear', streamId });
    this.#session?.send({ type: 'sendClose', streamId, nextSequence });
  }

  #pumpLater(stream: SendStream): void {
    if (this.#cancelBlocked !== undefined) return;
    const { clock } = this.#options;
    this.#cancelBlocked = clock.at(clock.nowMs() + BLOCKED_MS, () => {
      this.#cancelBlocked = undefined;
      stream.pump();
    });
  }

  /** Brings the record of what sounds up to date; lets go of it when it is over. */
  async #noteCurrent(): Promise<void> {
    const current = this.#current;
    if (current === undefined) return;
    const { result, unnoted } = current;
    if (result !== undefined) {
      await this.#finish(current.play, result, current.endMs);
      if (this.#current === current) this.#current = undefined;
    } else if (unnoted !== undefined) {
      await this.#note(current.play, unnoted);
      if (current.unnoted === unnoted) delete current.unnoted;
    }
  }

  async #finish(play: PlayRecord, result: SendOutcome, endMs?: number): Promise<void> {
    const { outcome, reason, playedFrames } = result;
    const over = { state: outcome, playedFrames, ...(reason === undefined ? {} : { reason }) };
    const stored = await this.#note(play, over);
    if (stored === undefined || !isOver(stored)) return;
    this.#options.counts[outcome] += 1;
    await this.#tellEnd(stored, endMs);
  }

  /**
   * Changes a record as the worker that has the call.
   *
   * @returns the record; undefined when it is another worker's now, and this one must let go.
   */
  async #note(play: PlayRecord, patch: Partial<PlayRecord>): Promise<PlayRecord | undefined> {
    const { store, callId, epoch, log } = this.#options;
    const stored = await store.update(callId, play.playId, (now) =>
      (now.epoch ?? 0) > epoch ? now : { ...now, ...patch, epoch },
    );
    if (stored === undefined || isOver(stored) || (stored.epoch ?? 0) <= epoch) return stored;
    log.warn('plays are another worker’s now', { callId, epoch: stored.epoch });
    this.#isEnded = true;
    this.#current?.stream.detach();
    return undefined;
  }

  /** First told, then settled: a worker that dies between leaves the telling to the next. */
  async #tellEnd(play: PlayRecord, endMs: number | undefined): Promise<void> {
    const { store, journal, callId } = this.#options;
    journal.add(playEndedEvent(play, endMs));
    await journal.flushed();
    await store.settle(callId, play.playId);
  }

  async #failAll(reason: string): Promise<void> {
    for (const play of await this.#options.store.waiting(this.#options.callId)) {
      if (isOver(play)) await this.#tellEnd(play, undefined);
      else await this.#finish(play, failed(reason));
    }
  }

  #tellFailure(error: unknown): void {
    const { log, callId } = this.#options;
    log.warn('a play has to wait', { callId, error: String(error) });
  }
}

function failed(reason: string): SendOutcome {
  return { outcome: 'failed', reason, playedFrames: 0 };
}
