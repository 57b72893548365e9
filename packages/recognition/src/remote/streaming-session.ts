import type { Cancel, Clock } from '@earshot/async';
import { backoffDelayMs } from '@earshot/async';
import { wordsInMediaTime } from '../media-words.js';
import type {
  RecognizerResult,
  RecognizerSession,
  RecognizerSessionOptions,
} from '../recognizer.js';
import { RECOGNIZER_SAMPLE_RATE_HZ } from '../recognizer.js';
import type { Turn } from '../turn-queue.js';
import { TurnQueue } from '../turn-queue.js';
import type { UtteranceAudio } from '../utterance-audio.js';
import type { VendorFault } from '../vendor-fault.js';
import { faultOfClose, slow, unavailable } from '../vendor-fault.js';
import type {
  DialectConnection,
  DialectEvent,
  DialectSession,
  StreamDialect,
} from './stream-dialect.js';
import type { StreamingLimits } from './streaming-limits.js';
import { addressWithin } from './vendor-address.js';
import { dialVendor, VendorLink } from './vendor-link.js';

const SAMPLES_PER_MS = RECOGNIZER_SAMPLE_RATE_HZ / 1000;

/** Sound in one message. */
const CHUNK_SAMPLES = 100 * SAMPLES_PER_MS;

/** No more is handed to the socket while so much has not left: 2 s of sound. */
const MAX_SOCKET_BYTES = 2000 * SAMPLES_PER_MS * 2;

/** Of a gap, so much is sent as silence; the rest is left out. */
const GAP_SILENCE_MS = 200;

const CLOSED = 'it must not be closed while it is opened';

const BACKOFF = { baseMs: 250, maxMs: 4000 };

export interface StreamingSessionOptions {
  readonly dialect: StreamDialect;
  readonly session: RecognizerSessionOptions;
  readonly limits: StreamingLimits;
  readonly clock: Clock;
  proxyFor(url: URL): URL | undefined;
  random(): number;
  closed(): void;
}

/** Where the first utterance is with the vendor. */
interface Progress {
  readonly turn: Turn;
  /** The vendor's times are from this sample on. */
  baseSample: number;
  /** The first sample not handed to the socket. */
  sentSample: number;
  /** All before is in finals. */
  finalSample: number;
  isBegun: boolean;
  isEndSent: boolean;
  finals: number;
}

/**
 * A stream at a vendor that is spoken to by WebSocket. A connection that breaks off is opened again,
 * and given what is in no final yet; one that breaks off between utterances is opened when it is needed.
 */
export class StreamingSession implements RecognizerSession {
  readonly #options: StreamingSessionOptions;
  readonly #turns: TurnQueue;
  readonly #asked: DialectSession;
  #link: VendorLink | undefined;
  #connection: DialectConnection | undefined;
  #progress: Progress | undefined;
  #isDialling = false;
  /** Before it is dialled again. */
  #isPausing = false;
  #isOver = false;
  #reconnects = 0;
  #cancelWait: Cancel | undefined;
  #cancelQuiet: Cancel = () => {};
  #cancelRetry: Cancel = () => {};
  #cancelKeepAlive: Cancel = () => {};
  #usedAtMs: number;

  constructor(options: StreamingSessionOptions) {
    this.#options = options;
    const { session, limits, clock } = options;
    this.#turns = new TurnQueue(session.startMs, limits.maxUtteranceMs, GAP_SILENCE_MS);
    const partials = session.task.kind === 'dictation' && session.task.partials;
    this.#asked = { language: session.language, partials, endpointMs: session.endpointMs };
    this.#usedAtMs = clock.nowMs();
  }

  /** Opens the first connection; resolves with the fault when there is none. */
  async connect(): Promise<VendorFault | undefined> {
    const link = await this.#dial();
    if (!(link instanceof VendorLink)) return link;
    if (!this.#isOver) {
      this.#use(link);
      return undefined;
    }
    link.close();
    return unavailable(this.#options.dialect.engine, CLOSED);
  }

  get backlogMs(): number {
    let samples = (this.#link?.waitingBytes ?? 0) / 2 - (this.#progress?.sentSample ?? 0);
    for (const { audio } of this.#turns.turns) samples += audio.length;
    return Math.max(0, samples / SAMPLES_PER_MS);
  }

  push(pcm: Int16Array): void {
    if (this.#isOver) return;
    if (!this.#turns.push(pcm)) this.#overflow();
    else this.#pump();
  }

  gap(durationMs: number): void {
    if (!this.#isOver && !this.#turns.gap(durationMs)) this.#overflow();
  }

  endUtterance(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    const ended = this.#turns.end();
    this.#pump();
    return ended;
  }

  restart(mediaTimeMs: number): void {
    const dropped = this.#turns.restart(mediaTimeMs);
    if (dropped === undefined || this.#progress?.turn !== dropped) return;
    // The vendor has some of it, and would give results of it.
    if (this.#progress.isBegun) this.#hangUp();
    this.#progress = undefined;
  }

  close(): Promise<void> {
    this.#end();
    this.#options.closed();
    return Promise.resolve();
  }

  #pump(): void {
    const turn = this.#turns.first;
    if (this.#isOver || turn === undefined) return;
    const progress = this.#progressOf(turn);
    if (turn.isEnded && !progress.isBegun && progress.finalSample === turn.audio.length) {
      this.#concluded();
      return;
    }
    const connection = this.#connection;
    if (connection === undefined || this.#link === undefined) {
      this.#redial();
      return;
    }
    if (!progress.isBegun) {
      progress.isBegun = true;
      connection.beginTurn();
    }
    const isSent = this.#send(connection, this.#link, progress);
    if (!turn.isEnded) return;
    if (isSent || this.#cancelWait === undefined) this.#awaitResults();
    const isAllSent = progress.sentSample === turn.audio.length;
    if (isAllSent && !progress.isEndSent) this.#endTurn(connection, progress);
  }

  #progressOf(turn: Turn): Progress {
    if (this.#progress?.turn === turn) return this.#progress;
    this.#reconnects = 0;
    this.#progress = {
      turn,
      baseSample: 0,
      sentSample: 0,
      finalSample: 0,
      isBegun: false,
      isEndSent: false,
      finals: 0,
    };
    return this.#progress;
  }

  /** False when nothing could be sent. */
  #send(connection: DialectConnection, link: VendorLink, progress: Progress): boolean {
    const { audio, isEnded } = progress.turn;
    for (const fromSample = progress.sentSample; ; ) {
      const left = audio.length - progress.sentSample;
      const isEnough = left >= CHUNK_SAMPLES || (isEnded && left > 0);
      if (!isEnough || link.waitingBytes > MAX_SOCKET_BYTES) {
        return progress.sentSample > fromSample;
      }
      const to = progress.sentSample + Math.min(left, CHUNK_SAMPLES);
      connection.audio(audio.slice(progress.sentSample, to));
      progress.sentSample = to;
      this.#usedAtMs = this.#options.clock.nowMs();
    }
  }

  #endTurn(connection: DialectConnection, progress: Progress): void {
    progress.isEndSent = true;
    connection.endTurn();
    this.#watchQuiet(connection);
  }

  /** From when sound of an utterance that has ended was last taken: a socket that stalls is slow too. */
  #awaitResults(): void {
    const { clock, limits, dialect } = this.#options;
    this.#stopWaiting();
    this.#cancelWait = clock.at(clock.nowMs() + limits.resultsMs, () => {
      const rule = `the finals must come within ${limits.resultsMs} ms of the end of an utterance`;
      this.#fail(slow(dialect.engine, rule));
    });
  }

  #stopWaiting(): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
  }

  #watchQuiet(connection: DialectConnection): void {
    const { clock, limits } = this.#options;
    this.#cancelQuiet();
    this.#cancelQuiet = clock.at(clock.nowMs() + limits.quietMs, () => {
      if (this.#connection === connection && connection.isQuietEnd()) this.#concluded();
    });
  }

  async #dial(): Promise<VendorLink | VendorFault> {
    const { dialect, clock, limits, proxyFor } = this.#options;
    const about = { dialect, session: this.#asked, clock };
    const address = await addressWithin(about, limits.connectMs);
    if ('code' in address) return address;
    if (this.#isOver) return unavailable(dialect.engine, CLOSED);
    const proxy = proxyFor(new URL(address.url));
    const { engine } = dialect;
    return dialVendor({ engine, address, proxy, clock, timeoutMs: limits.connectMs });
  }

  #redial(): void {
    if (this.#isDialling || this.#isPausing) return;
    this.#isDialling = true;
    void this.#dial().then((link) => {
      this.#isDialling = false;
      if (!(link instanceof VendorLink)) {
        if (!this.#isOver) this.#broken(link);
        return;
      }
      if (this.#isOver) link.close();
      else this.#use(link);
      this.#pump();
    });
  }

  #use(link: VendorLink): void {
    this.#link = link;
    this.#connection = this.#options.dialect.begin(this.#asked, link);
    link.listen({
      message: (data) => this.#message(data),
      closed: (code) => this.#closed(code),
      drained: () => this.#pump(),
    });
    this.#keepAlive();
  }

  #keepAlive(): void {
    const { clock, limits } = this.#options;
    this.#cancelKeepAlive();
    this.#cancelKeepAlive = clock.at(clock.nowMs() + limits.keepAliveMs, () => {
      // It was used just after the beat before: the next is too far away.
      const isIdle = clock.nowMs() - this.#usedAtMs >= limits.keepAliveMs / 2;
      if (isIdle) this.#connection?.keepAlive();
      this.#keepAlive();
    });
  }

  #message(data: string | Buffer): void {
    const connection = this.#connection;
    for (const event of connection?.message(data) ?? []) this.#heard(event);
    if (connection !== undefined && connection === this.#connection && this.#progress?.isEndSent) {
      this.#watchQuiet(connection);
    }
  }

  #heard(event: DialectEvent): void {
    if (this.#isOver) return;
    if (event.kind === 'fault') {
      if (event.fault.code === 'recognizer_unavailable') this.#lost(event.fault);
      else this.#fail(event.fault);
      return;
    }
    if (this.#progress === undefined) return;
    if (event.kind !== 'ended') this.#result(event, this.#progress);
    else if (this.#progress.isEndSent) this.#concluded();
  }

  #result(event: Extract<DialectEvent, { text: string }>, progress: Progress): void {
    if (event.kind === 'partial' && !this.#asked.partials) return;
    const { audio } = progress.turn;
    const sampleOf = (ms: number): number =>
      Math.min(audio.length, progress.baseSample + Math.round(ms * SAMPLES_PER_MS));
    if (event.kind === 'final') {
      progress.finalSample = Math.max(progress.finalSample, sampleOf(event.endMs));
      if (event.text !== '') progress.finals += 1;
    }
    if (event.text === '') return;
    const mediaMs = (ms: number): number => audio.mediaMsAt(sampleOf(ms));
    const words = wordsInMediaTime(event.words, mediaMs);
    const startMs = words[0]?.startMs ?? mediaMs(event.startMs);
    this.#tell({
      ...event,
      kind: event.kind,
      engine: this.#options.dialect.engine,
      startMs,
      endMs: Math.max(startMs, words.at(-1)?.endMs ?? mediaMs(event.endMs)),
      words,
      language: event.language ?? this.#asked.language,
    });
  }

  #tell(result: RecognizerResult): void {
    this.#options.session.onResult(result);
  }

  #concluded(): void {
    this.#stopWaiting();
    this.#cancelQuiet();
    const progress = this.#progress;
    if (progress?.finals === 0) this.#tell(this.#nothing(progress.turn.audio));
    this.#progress = undefined;
    this.#turns.shift();
    this.#pump();
  }

  #nothing({ startMs, endMs }: UtteranceAudio): RecognizerResult {
    const { engine } = this.#options.dialect;
    const { language } = this.#asked;
    return {
      kind: 'final',
      engine,
      text: '',
      startMs,
      endMs,
      words: [],
      confidence: null,
      language,
    };
  }

  #closed(code: number): void {
    this.#lost(faultOfClose(this.#options.dialect.engine, code));
  }

  /** The connection is of no more use; what is in no final is given to the next. */
  #lost(fault: VendorFault): void {
    this.#hangUp();
    if (this.#progress !== undefined) this.#broken(fault);
  }

  #broken(fault: VendorFault): void {
    const { clock, limits, random } = this.#options;
    const isFinal = !fault.retryable || this.#reconnects >= limits.maxReconnects;
    if (isFinal) {
      this.#fail(fault);
      return;
    }
    const waitMs = backoffDelayMs(this.#reconnects, random(), BACKOFF);
    this.#reconnects += 1;
    this.#isPausing = true;
    this.#cancelRetry = clock.at(clock.nowMs() + waitMs, () => {
      this.#isPausing = false;
      this.#pump();
    });
  }

  #hangUp(): void {
    this.#connection?.goodbye();
    this.#link?.close();
    this.#link = undefined;
    this.#connection = undefined;
    this.#stopWaiting();
    this.#cancelQuiet();
    this.#cancelKeepAlive();
    const progress = this.#progress;
    if (progress === undefined) return;
    progress.baseSample = progress.finalSample;
    progress.sentSample = progress.finalSample;
    progress.isBegun = false;
    progress.isEndSent = false;
  }

  #overflow(): void {
    const { limits, dialect } = this.#options;
    this.#fail(
      slow(dialect.engine, `sound must not wait for longer than ${limits.maxUtteranceMs} ms`),
    );
  }

  #fail({ code, message, retryable }: VendorFault): void {
    if (this.#isOver) return;
    this.#end();
    this.#options.session.onFault({ code, message, retryable });
  }

  #end(): void {
    this.#isOver = true;
    this.#cancelRetry();
    this.#hangUp();
    this.#turns.clear();
  }
}
