import type { Cancel } from '@earshot/async';
import { every } from '@earshot/async';
import type { AttachMessage, WelcomeMessage, WorkerMessage } from '@earshot/bridge-protocol';
import { parseWorkerMessage } from '@earshot/bridge-protocol';
import { WebSocket } from 'ws';
import type { FrameParts } from '../src/frame-bytes.js';
import { frameMessage } from '../src/frame-bytes.js';
import { SmallEnd } from './small-end.js';
import type { SmallHost } from './small-host.js';
import { SEND_OFFER, SmallSend } from './small-send.js';
import type { SendDefect } from './small-send-stream.js';
import { SmallStream } from './small-stream.js';

const BACK_OFF_MS = 20;
/** Twice real time, which `virtualTime` says. */
const BEAT_MS = 20;
const FRAMES_PER_BEAT = 2;
/** So many fit into one message. */
const FRAMES_PER_MESSAGE = 50;
const WINDOW_FRAMES = 60;
const TICKS_PER_FRAME = 200_000n;
const EPOCH_TICKS = 133_000_000_000_000_000n;
/** The stream of a source that leaves soon, and after how many frames. */
const LEAVER = 3;
const LEAVES_AFTER = 15;
/** After these the host waits for attach. */
const ELSEWHERE: ReadonlySet<number> = new Set([1000, 1001, 4401, 4409, 4426, 4503]);

/** One call's audio in a small host: one source is muted now and then, one leaves soon. */
export class SmallSession {
  readonly mediaId: string;
  readonly callId: string;
  epoch = -1;
  readonly #host: SmallHost;
  readonly #streams = [1, 2, LEAVER].map((streamId) => new SmallStream(streamId, WINDOW_FRAMES));
  #end: SmallEnd<WorkerMessage> | undefined;
  #attach: AttachMessage | undefined;
  readonly #send: SmallSend;
  /** Both sides have said that they know the way back. */
  #agreed = false;
  #credit = 0;
  #resumeToken: string | undefined;
  #refuse: ((code: string) => void) | undefined;
  #frame = 0;
  #links = 0;
  #losses = 0;
  #wasWelcome = false;
  #isLeaving = false;
  #stopBeat: Cancel | undefined;
  #whenLeft: (() => void) | undefined;

  constructor(host: SmallHost, mediaId: string, callId: string) {
    this.#host = host;
    this.mediaId = mediaId;
    this.callId = callId;
    this.#send = new SmallSend({
      say: (message) => this.#end?.say(message),
      end: (code, reason) => this.#end?.end(code, reason),
      nowTicks: () => this.#nowTicks(),
      has: (defect: SendDefect) => host.has(defect),
    });
  }

  attach(message: AttachMessage, attached: () => void, refuse: (code: string) => void): void {
    this.epoch = message.epoch;
    const before = this.#end;
    const host = this.#host;
    if (!host.has('forgetsOlderAttaches')) this.#refuse?.('superseded');
    this.#refuse = refuse;
    const isSame = message.epoch === this.#attach?.epoch;
    const dial = (): void => {
      this.#isLeaving = false;
      this.#attach = message;
      this.#wasWelcome = false;
      if (!(isSame && host.has('keepsResumeTokenOverAttach'))) this.#resumeToken = undefined;
      this.#dial(message, attached, refuse);
    };
    if (isSame || before?.isOpen !== true || host.has('movesWithoutBye')) {
      if (host.has('redialsTheOld') && this.#wasWelcome && !isSame) this.#redialOld();
      if (!host.has('mindsReplacedLinks')) this.#end = undefined;
      if (!isSame) before?.break();
      dial();
      return;
    }
    this.#leave('reattach', dial);
  }

  /** A mistake on purpose. */
  #redialOld(): void {
    const old = this.#attach;
    if (old === undefined) return;
    const headers = { authorization: `Bearer ${old.token}` };
    // Again and again: whoever looks must see one, however slow it was to begin.
    for (const delayMs of [100, 500, 1_000, 2_000, 3_000]) {
      this.#host.after(delayMs, () => {
        new WebSocket(old.workerUrl, 'earshot.media.v1', { headers }).on('error', () => {});
      });
    }
  }

  release(): void {
    this.#stopBeat?.();
    this.#leave('released', () => {});
    this.#attach = undefined;
  }

  abort(): void {
    this.#stopBeat?.();
    this.#attach = undefined;
    this.#end?.break();
  }

  #leave(reason: string, then: () => void): void {
    this.#isLeaving = true;
    this.#whenLeft = then;
    if (reason === 'reattach') this.#send.leave();
    else if (this.#agreed) this.#send.end();
    this.#end?.say({ type: 'bye', reason });
    if (this.#host.has('talksAfterBye')) this.#end?.say({ type: 'bye', reason });
  }

  #dial(message: AttachMessage, attached: () => void, refuse: (code: string) => void): void {
    const host = this.#host;
    let isWelcome = false;
    const end = new SmallEnd<WorkerMessage>({
      clock: host.clock,
      url: message.workerUrl,
      token: host.has('ignoresResumeTokens') ? message.token : (this.#resumeToken ?? message.token),
      subprotocol: 'earshot.media.v1',
      parse: parseWorkerMessage,
      isKind: host.has('staysOpenOnBadTexts'),
      takesBinary: host.has('takesBinary'),
      binary: (data) => {
        if (this.#agreed) this.#send.frames(data);
        return this.#agreed;
      },
      isStrict: host.has('closesOnUnknownTypes'),
      pings: host.has('pingsNever')
        ? undefined
        : (id) => ({ type: 'ping', id, clockNowTicks: this.#nowTicks() }),
      dropsNobody: host.has('dropsNobody'),
      opened: () => this.#hello(end, message.epoch),
      message: (told) => {
        if (told.type === 'welcome') {
          isWelcome = true;
          this.#refuse = undefined;
          this.#resumeToken = told.resumeToken;
          this.#wasWelcome = true;
          this.#welcome(told);
          if (!host.has('attachedBeforeWelcome')) attached();
        } else this.#message(told);
      },
      closed: (code) => {
        if (end !== this.#end && host.has('mindsReplacedLinks')) {
          this.#tell('failed', `closed_${code}`);
        }
        if (end !== this.#end) return;
        if (!isWelcome) {
          this.#refuse = undefined;
          refuse(`closed_${code}`);
        }
        this.#closed(code);
      },
    });
    this.#end = end;
  }

  #hello(end: SmallEnd<WorkerMessage>, epoch: number): void {
    this.#links += 1;
    const moved = this.#host.has('mediaEpochOfEachLink') ? BigInt(this.#links) : 0n;
    end.say({
      type: 'hello',
      version: 1,
      callId: this.callId,
      mediaId: this.mediaId,
      epoch: this.#host.has('wrongEpochInHello') ? epoch + 1 : epoch,
      mediaEpochTicks: String(EPOCH_TICKS + moved),
      clockNowTicks: this.#nowTicks(),
      replayWindowMs: WINDOW_FRAMES * 20,
      virtualTime: true,
      send: this.#host.has('offersLessEachTime')
        ? { ...SEND_OFFER, bufferFrames: 1000 - this.#links }
        : SEND_OFFER,
    });
    if (this.#host.has('talksBeforeWelcome')) {
      end.say({ type: 'ping', id: 0, clockNowTicks: this.#nowTicks() });
    }
  }

  #welcome(welcome: WelcomeMessage): void {
    this.#credit = welcome.creditFrames;
    const host = this.#host;
    this.#agreed = welcome.send === true || host.has('sendsWithoutAgreement');
    this.#send.pause();
    for (const stream of this.#streams) {
      const listed = welcome.resume.find(({ streamId }) => streamId === stream.streamId);
      const off = host.has('replaysFromTheWrongPosition') && listed !== undefined ? 3 : 0;
      const start = listed?.durableSequence ?? stream.durable;
      stream.isOver =
        stream.isClosed &&
        (host.has('forgetsClosedStreams') ||
          (start === stream.end && !host.has('reopensEndedStreams')));
      if (stream.isOver) continue;
      stream.restart(start + off);
      if (host.has('skipsWhatWasLost')) stream.skipSent();
      if (host.has('sequenceStartsAnew') && this.#links > 1) stream.startAnew();
      if (!host.has('framesBeforeStreamOpen')) this.#open(stream);
    }
    this.#tell('active');
    this.#stopBeat ??= every(this.#host.clock, BEAT_MS, () => this.#beat());
  }

  #open({ streamId, next }: SmallStream): void {
    this.#end?.say({
      type: 'streamOpen',
      streamId,
      kind: 'unmixed',
      sourceId: String(200 + streamId),
      codec: 'pcm16',
      sampleRateHz: 16_000,
      firstSequence: next,
    });
  }

  #message(message: WorkerMessage): void {
    if (message.type === 'drain') this.#tell('active', 'drain_requested');
    const isSend =
      message.type === 'sendOpen' ||
      message.type === 'sendClose' ||
      message.type === 'mark' ||
      message.type === 'clear';
    if (isSend && this.#agreed) this.#send.message(message);
    if (message.type !== 'progress') return;
    this.#credit = message.creditFrames;
    for (const { streamId, received, durable } of message.streams) {
      this.#streams.find((stream) => stream.streamId === streamId)?.acknowledge(received, durable);
    }
  }

  #closed(code: number): void {
    this.#end = undefined;
    this.#send.pause();
    if (this.#isLeaving) {
      this.#whenLeft?.();
      return;
    }
    const host = this.#host;
    const waits =
      (ELSEWHERE.has(code) &&
        !(code === 4409 && host.has('redialsWorkersAfterConflict')) &&
        !(code === 4401 && host.has('redialsAfter401'))) ||
      host.has('redialsNoWorker');
    if (!this.#wasWelcome) return;
    if (waits) this.#tell('failed', host.has('failsWithoutAWord') ? undefined : `closed_${code}`);
    else {
      this.#tell('inactive', 'link_interrupted');
      host.after(10 + Math.random() * BACK_OFF_MS, () => this.#again());
    }
  }

  #again(): void {
    const attach = this.#attach;
    if (attach === undefined || this.#end !== undefined) return;
    this.#dial(
      attach,
      () => {},
      () => {},
    );
  }

  #beat(): void {
    for (let n = 0; n < FRAMES_PER_BEAT; n += 1) this.#tick();
    this.#flush();
  }

  #tick(): void {
    const host = this.#host;
    const n = this.#frame;
    this.#frame += 1;
    for (const stream of this.#streams) {
      const isMuted = stream.streamId === 2 && n % 20 >= 5 && n % 20 < 8;
      if (stream.streamId === LEAVER && n >= LEAVES_AFTER) stream.isClosed = true;
      if (isMuted || stream.isClosed) continue;
      if (host.has('sequenceJumps') && n % 5 === 0) stream.jump(10);
      if (n % 40 === 30) stream.jump(1);
      const isAfterPause = stream.streamId === 2 && n % 20 === 8;
      const flags =
        (isAfterPause && !host.has('noDiscontinuity') ? 4 : 0) +
        (host.has('unnamedFlags') ? 0x40 : 0);
      stream.push(EPOCH_TICKS + BigInt(n) * TICKS_PER_FRAME, flags);
    }
    this.#send.tick();
  }

  #flush(): void {
    if (this.#end?.isOpen !== true || this.#isLeaving) return;
    for (const stream of this.#streams) this.#sayLost(stream);
    this.#sendFrames();
    for (const stream of this.#streams) {
      const isEarly = this.#host.has('closesStreamsEarly');
      const isReady = stream.isClosed && !stream.isOver && (!stream.hasUnsent || isEarly);
      if (!isReady) continue;
      stream.isOver = true;
      const nextSequence = stream.end - (this.#host.has('closesShort') ? 3 : 0);
      this.#end.say({ type: 'streamClose', streamId: stream.streamId, nextSequence });
    }
  }

  #sayLost(stream: SmallStream): void {
    const host = this.#host;
    if (stream.isOver && !host.has('closesStreamsEarly')) return;
    const { streamId } = stream;
    for (const lost of stream.takeLost()) {
      this.#losses += 1;
      const isKept = host.has('tellsSomeLosses') && this.#losses % 3 === 0;
      if (host.has('dropsInSilence') || isKept) continue;
      const isOverflow = lost.reason === 'overflow';
      const reason = host.has('saysOneReason') ? 'overflow' : lost.reason;
      const isOdd = isOverflow && host.has('saysWindowForOverflow');
      const discarded = { type: 'discarded', streamId, ...lost };
      this.#end?.say({ ...discarded, reason: isOdd ? 'window' : reason });
      if (host.has('tellsLossesTwice')) this.#end?.say({ ...discarded, reason });
    }
  }

  /** The stream whose frame is to be sent now. */
  #next(): SmallStream | undefined {
    const host = this.#host;
    const ready = this.#streams.filter(
      (stream) =>
        stream.hasUnsent &&
        !stream.isOver &&
        (host.has('ignoresCredit') || this.#hasCredit(stream)),
    );
    if (host.has('sendsStreamByStream')) return ready[0];
    return ready.toSorted((a, b) => Number(a.nextTicks - b.nextTicks))[0];
  }

  #hasCredit(stream: SmallStream): boolean {
    const inFlight = this.#host.has('sharesCredit')
      ? this.#streams.reduce((sum, { inFlight }) => sum + inFlight, 0)
      : stream.inFlight;
    return inFlight < this.#credit;
  }

  #sendFrames(): void {
    let frames: FrameParts[] = [];
    const opened = new Set<SmallStream>();
    for (let stream = this.#next(); stream !== undefined; stream = this.#next()) {
      frames.push(this.#takeNext(stream));
      opened.add(stream);
      if (frames.length < FRAMES_PER_MESSAGE) continue;
      this.#end?.sendBinary(frameMessage(frames));
      frames = [];
    }
    if (frames.length > 0) this.#end?.sendBinary(frameMessage(frames));
    if (!this.#host.has('framesBeforeStreamOpen')) return;
    for (const stream of opened) {
      if (!stream.isOpened) this.#open(stream);
      stream.isOpened = true;
    }
  }

  #takeNext(stream: SmallStream): FrameParts {
    const host = this.#host;
    return stream.takeNext({
      flagsReplays: !host.has('neverFlagsReplays'),
      otherAudio: host.has('replaysOtherAudio'),
      pcmBytes: host.has('wrongPcmLength') ? 320 : 640,
      swapsTicks: host.has('bigEndianTicksHalves'),
    });
  }

  #nowTicks(): string {
    return String(EPOCH_TICKS + BigInt(this.#frame) * TICKS_PER_FRAME);
  }

  #tell(state: string, detail?: string): void {
    this.#host.tell(this.mediaId, state, detail);
  }
}
