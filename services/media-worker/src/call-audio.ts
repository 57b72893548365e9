import type { Cancel, Clock } from '@earshot/async';
import { delay } from '@earshot/async';
import type {
  MediaControlMessage,
  MediaLinkHandlers,
  MediaLinkOpening,
  MediaLinkSession,
} from '@earshot/bridge';
import type { DiscardedMessage, FrameCursor, HelloMessage } from '@earshot/bridge-protocol';
import { CLOSE, relativeMs, splitTicks } from '@earshot/bridge-protocol';
import type { ListeningSettings } from '@earshot/listening';
import type { StreamTotals } from '@earshot/media-session';
import { CLOSE_MODE, mediaStartedEvent, mediaStoppedEvent } from '@earshot/media-session';
import type { StreamPosition } from '@earshot/registry';
import type { Attribution } from './attribution.js';
import { toParticipant } from './attribution.js';
import { watchCall } from './call-deafness.js';
import { CallFindings } from './call-findings.js';
import type { CallJournal } from './call-journal.js';
import { CallLink } from './call-link.js';
import { CallListening } from './call-listening.js';
import type { CallMemory } from './call-memory.js';
import type { LinkFault } from './call-streams.js';
import { CallStreams } from './call-streams.js';
import type { DeafWatch } from './deaf-watch.js';
import type { DecodePool } from './decode-pool.js';
import { DurablePositions } from './durable-positions.js';
import type { StreamLevel } from './levels-stream.js';
import type { WorkerLog } from './log.js';
import { MemoryToStore } from './memory-to-store.js';
import type { CallPlays } from './play/call-plays.js';
import { CallRecognition } from './recognition/call-recognition.js';
import type { RecognizerPool } from './recognition/recognizer-pool.js';
import { SpeechNotes } from './speech-notes.js';
import type { StopReason } from './stop-reason.js';
import { GOES_ON, OVER_FOR_GOOD, PLAYS_END } from './stop-reason.js';
import { nowMicros } from './thread-clock.js';

export interface CallAudioOptions {
  readonly hello: HelloMessage;
  readonly pool: DecodePool;
  readonly recognizers: RecognizerPool;
  readonly journal: CallJournal;
  readonly attribution: Attribution;
  readonly plays: CallPlays;
  readonly clock: Clock;
  readonly log: WorkerLog;
  /** What is listened for, as stored when the link was accepted. */
  readonly listening: ListeningSettings;
  /** Frames of each stream that the host may have on their way. */
  readonly creditFrames: number;
  /** Where the attachment before this one left streams. */
  readonly positions: readonly StreamPosition[];
  /** How long the call is kept without a link. */
  readonly linkGraceMs: number;
  /** Nothing heard for so long makes it deaf, if somebody could speak; 0: never. */
  readonly deafAfterMs: number;
  /** Whether the call is still this worker's; rejects when nobody can say. */
  isOurs(): Promise<boolean>;
  /** How many people in the call are not muted. */
  unmuted(): Promise<number | undefined>;
  /** Tells everybody that somebody was heard at `atMs` (Unix). */
  noteSpeech(atMs: number): Promise<void>;
  /** What the attachment before this one knew of the call beside. */
  readonly memory: CallMemory | undefined;
  /**
   * Puts positions, and what is known of the call beside, where another worker finds them; `stale`
   * when the call is another's.
   */
  storePositions(positions: readonly StreamPosition[], memory: CallMemory): Promise<'ok' | 'stale'>;
  /** The call is over for good. */
  forgetPositions(): Promise<unknown>;
  /** Called once, just before its link is closed: whoever dials from then on must be refused. */
  onClosing(call: CallAudio): void;
  /** Called once, when all is published. */
  onOver(call: CallAudio, reason: StopReason): Promise<void>;
}

/** How often positions are stored at most; the clock of a simulation may run much faster than ours. */
const STORE_INTERVAL_MS = 500;
const VIRTUAL_STORE_INTERVAL_MS = 50;

/** How often is looked whether what a host sent before it came back is processed. */
const CATCH_UP_LOOK_MS = 10;

/** How soon a host that used much of a stream's credit is told that it has it again. */
const SOON_MS = 20;

/**
 * The media of one call on the I/O thread: what comes over its link, its streams, its events. It outlives
 * its link for a grace, so that a host whose connection broke finds its streams as it left them.
 */
export class CallAudio {
  readonly callId: string;
  readonly epoch: number;
  readonly streams: CallStreams;
  readonly findings: CallFindings;
  readonly #options: CallAudioOptions;
  readonly #durable: DurablePositions;
  readonly #deaf: DeafWatch;
  readonly #speech: SpeechNotes;
  readonly #listening: CallListening;
  readonly #recognition: CallRecognition;
  readonly #mediaEpoch: { readonly high: number; readonly low: number };
  readonly #link: CallLink;
  #started = false;
  #ending: Promise<void> | undefined;
  #cancelSoon: Cancel | undefined;
  #strayFrames = 0;

  constructor(options: CallAudioOptions) {
    const { hello, pool, journal, clock, log, creditFrames, positions } = options;
    this.#options = options;
    this.callId = hello.callId;
    this.epoch = hello.epoch;
    this.#listening = new CallListening(options.listening);
    this.#mediaEpoch = splitTicks(BigInt(hello.mediaEpochTicks));
    this.findings = new CallFindings({
      ...{ callId: hello.callId, mediaId: hello.mediaId, journal, clock },
      participantOf: (sourceId) => options.attribution.known(sourceId)?.participantId ?? null,
      isVirtual: this.virtualTime,
      listening: this.#listening,
      memory: options.memory,
      streams: () => this.streams.live(),
    });
    this.#recognition = new CallRecognition({
      pool: options.recognizers,
      listening: options.listening,
      eager: this.virtualTime,
      creditFrames,
      clock,
      tell: (event) => journal.add(event),
    });
    this.#listening.onChange((listening) => this.#recognition.set(listening));
    this.streams = new CallStreams({
      callId: hello.callId,
      mediaId: hello.mediaId,
      epoch: hello.epoch,
      mediaEpoch: this.#mediaEpoch,
      pool,
      recognition: this.#recognition,
      eager: this.virtualTime,
      creditFrames,
      positions,
      tones: options.listening.tones,
      tell: (event, streamId) => {
        if (event.type === 'speech.started' || event.type === 'speech.ended') this.#speech.spoke();
        this.findings.add(event, streamId);
      },
    });
    this.#listening.onChange(({ tones }) => this.streams.listenForTones(tones));
    const memory = new MemoryToStore(this.findings);
    this.#durable = new DurablePositions({
      callId: this.callId,
      journal,
      clock,
      log,
      intervalMs: this.virtualTime ? VIRTUAL_STORE_INTERVAL_MS : STORE_INTERVAL_MS,
      marks: () => {
        if (this.findings.isWaiting) return [];
        memory.take();
        return this.streams.marks();
      },
      hasMore: () => memory.isNew,
      store: (marked) => memory.store((known) => options.storePositions(marked, known)),
      onMoved: () => this.sendProgress(),
      onStale: () => void this.end('leaseLost'),
    });
    this.#speech = new SpeechNotes({ clock, note: (atMs) => options.noteSpeech(atMs) });
    this.#deaf = watchCall({ ...options, callId: this.callId, epoch: this.epoch });
    this.#link = this.#createLink();
  }

  /** Nothing is heard though somebody could speak. */
  get isDeaf(): boolean {
    return this.#deaf.isDeaf;
  }

  /** Looks whether anything, and anybody, is heard, and who stopped; call it about once a second. */
  checkDeafness(): void {
    if (this.#ending !== undefined) return;
    this.#deaf.check({ ...this.streams.takeSigns(), linked: this.linked });
    for (const { speaking } of this.streams.open()) if (speaking) this.#speech.spoke();
    this.#lookForStalls();
  }

  /** The host's clock is not ours: it waits for progress. */
  get virtualTime(): boolean {
    return this.#options.hello.virtualTime === true;
  }

  /** What is played into the meeting. */
  get plays(): CallPlays {
    return this.#options.plays;
  }

  /** What is listened for now. */
  get listening(): ListeningSettings {
    return this.#listening.current;
  }

  /** Calls `listener` with each change of what is listened for, until undone by the result. */
  onListening(listener: (settings: ListeningSettings) => void): Cancel {
    return this.#listening.onChange(listener);
  }

  /** Takes what is stored; nobody is told when it is as before. */
  setListening(settings: ListeningSettings): void {
    if (this.#ending === undefined) this.#listening.set(settings);
  }

  get ending(): boolean {
    return this.#ending !== undefined;
  }

  get linked(): boolean {
    return this.#link.isUp;
  }

  /** Its host was asked to take it elsewhere. */
  get isLeaving(): boolean {
    return this.#link.isLeaving;
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

  /** Resolves once what came is processed, or takes too long: it need not be sent again then. */
  async caughtUp(patienceMs: number): Promise<void> {
    const { clock } = this.#options;
    const deadlineMs = clock.nowMs() + patienceMs;
    while (this.streams.isBusy && clock.nowMs() < deadlineMs) await delay(clock, CATCH_UP_LOOK_MS);
  }

  /** The handlers of a new link; once it opens, a link before it is closed. */
  attach(): MediaLinkHandlers {
    return this.#link.attach();
  }

  /** Asks the host to take the call elsewhere; one that is away can't come back here. */
  askToLeave(reason: string): void {
    this.#link.askToLeave(reason);
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

  /** Moves durable positions, and tells the host how far its streams are, if that changed. */
  sendProgress(): void {
    if (this.#ending === undefined) this.findings.advance(this.linked);
    this.#durable.advance();
    if (!this.linked) return;
    const { creditFrames } = this.#options;
    for (const streams of this.streams.takeNews()) {
      this.#link.send({ type: 'progress', streams, creditFrames });
    }
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

  #createLink(): CallLink {
    const { clock, log, linkGraceMs } = this.#options;
    return new CallLink({
      ...{ callId: this.callId, clock, log, graceMs: linkGraceMs },
      isEnding: () => this.#ending !== undefined,
      onOpen: (session) => this.#linkUp(session),
      onFrames: (cursor) => this.#frames(cursor),
      onMessage: (message) => this.#message(message),
      onLost: () => this.plays.linkDown(),
      onSettled: () => this.streams.endUnopened(),
      onAway: () => void this.#endUnlinked(),
      onLeft: () => void this.end('drained'),
    });
  }

  #linkUp(session: MediaLinkSession): MediaLinkOpening {
    this.plays.linkUp(session);
    this.streams.newLink();
    if (!this.#started) {
      this.#started = true;
      this.#options.journal.add(mediaStartedEvent(this.callId, this.epoch));
    }
    return { resume: this.streams.resume() };
  }

  /** In virtual time nothing is late. */
  #lookForStalls(): void {
    if (!this.linked || this.virtualTime) return;
    const nowMs = this.#options.clock.nowMs();
    for (const stream of this.streams.open()) stream.lookForStall(nowMs, this.#link.hostAtMs);
  }

  /**
   * No host came back. It may have gone elsewhere with the call, and then what is open here is not
   * over: to end it would be told before its true end, under the same event id.
   */
  async #endUnlinked(): Promise<void> {
    // Where nobody can say, nothing can be told either: it is asked again.
    const isOurs = await this.#options.isOurs().catch(() => undefined);
    if (this.#ending !== undefined || this.linked) return;
    if (isOurs === undefined) this.#link.awaitHost();
    else void this.end(isOurs ? 'linkLost' : 'leaseLost');
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
    }
    this.#options.pool.ringDoorbells();
    this.#tellSoon();
  }

  /** A host with much to send uses up its credit between two beats of the clock. */
  #tellSoon(): void {
    const { clock, creditFrames } = this.#options;
    const quarter = creditFrames / 4;
    if (this.#cancelSoon !== undefined || !this.streams.hasInFlight(quarter)) return;
    this.#cancelSoon = clock.at(clock.nowMs() + SOON_MS, () => {
      this.#cancelSoon = undefined;
      if (this.streams.hasFreed(quarter)) this.sendProgress();
      this.#tellSoon();
    });
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
        this.findings.hostTone(message, this.#mediaMs(message.captureTicks));
        return;
      case 'dominantSpeaker':
        this.findings.hostDominant(message, this.#mediaMs(message.captureTicks));
        return;
      case 'bye':
        void this.end(message.reason);
        return;
      default:
        this.plays.message(message);
    }
  }

  #discarded({ streamId, firstSequence, frames }: DiscardedMessage): void {
    this.streams.get(streamId)?.discarded(firstSequence, frames, nowMicros());
    this.#options.pool.ringDoorbells();
  }

  #mediaMs(captureTicks: string): number {
    const { high, low } = splitTicks(BigInt(captureTicks));
    return relativeMs(high, low, this.#mediaEpoch.high, this.#mediaEpoch.low);
  }

  async #end(reason: StopReason): Promise<void> {
    const { journal, attribution, log, onClosing, onOver } = this.#options;
    const goesOn = GOES_ON.has(reason);
    this.#link.stopWaiting();
    this.sendProgress();
    if (goesOn) this.findings.leave();
    if (goesOn) attribution.hurry();
    else if (this.#started) this.streams.endUnopened();
    await Promise.all([
      this.plays.end(!PLAYS_END.has(reason)),
      this.streams.closeAll(goesOn ? CLOSE_MODE.abandon : CLOSE_MODE.end),
    ]);
    await this.#recognition.finish(goesOn);
    this.findings.end(this.streams.over.endMs);
    if (this.#started) journal.add(this.#stoppedEvent(reason));
    try {
      await journal.flushed();
      await this.#durable.finish();
      onClosing(this);
      this.#link.finish(reason);
    } catch (error) {
      log.error('events of a call were lost', { callId: this.callId, error: String(error) });
      onClosing(this);
      this.#link.close(CLOSE.internal, 'events_lost');
    }
    this.#cancelSoon?.();
    if (OVER_FOR_GOOD.has(reason)) await this.#forgetPositions();
    log.info('media of a call stopped', { callId: this.callId, reason });
    await onOver(this, reason);
  }

  async #forgetPositions(): Promise<void> {
    try {
      await this.#options.forgetPositions();
    } catch (error) {
      const { log } = this.#options;
      log.warn('positions not forgotten', { callId: this.callId, error: String(error) });
    }
  }

  #stoppedEvent(reason: StopReason): ReturnType<typeof mediaStoppedEvent> {
    const { streams, endMs } = this.streams.over;
    return mediaStoppedEvent({
      callId: this.callId,
      epoch: this.epoch,
      streams,
      totals: this.streams.totals(),
      reason,
      endMs,
    });
  }

  #refuse({ code, rule }: LinkFault): void {
    this.#options.log.warn('media link refused', { callId: this.callId, code });
    this.#link.send({ type: 'error', code, message: `Cannot go on: ${rule}` });
    this.#link.close(code === 'worker_busy' ? CLOSE.busy : CLOSE.protocolError, code);
  }
}
