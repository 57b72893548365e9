import type { AttachMessage, WelcomeMessage, WorkerMessage } from '@earshot/bridge-protocol';
import { parseWorkerMessage } from '@earshot/bridge-protocol';
import { SmallEnd } from './small-end.js';
import type { SmallHost } from './small-host.js';
import { SmallStream } from './small-stream.js';

const BACK_OFF_MS = 20;
/** Faster than real time, which `virtualTime` says. */
const PACE_MS = 5;
const WINDOW_FRAMES = 60;
const TICKS_PER_FRAME = 200_000n;
const EPOCH_TICKS = 133_000_000_000_000_000n;
/** After these the host waits for attach. */
const ELSEWHERE: ReadonlySet<number> = new Set([1000, 1001, 4401, 4409, 4426, 4503]);

/** One call's audio in a small host: two sources, one of which is muted now and then. */
export class SmallSession {
  readonly mediaId: string;
  readonly callId: string;
  epoch = -1;
  readonly #host: SmallHost;
  readonly #streams = [1, 2].map((streamId) => new SmallStream(streamId, WINDOW_FRAMES));
  #end: SmallEnd<WorkerMessage> | undefined;
  #attach: AttachMessage | undefined;
  #credit = 0;
  #frame = 0;
  #links = 0;
  #wasWelcome = false;
  #isLeaving = false;
  #timer: NodeJS.Timeout | undefined;
  #whenLeft: (() => void) | undefined;

  constructor(host: SmallHost, mediaId: string, callId: string) {
    this.#host = host;
    this.mediaId = mediaId;
    this.callId = callId;
  }

  attach(message: AttachMessage, attached: () => void, refuse: (code: string) => void): void {
    this.epoch = message.epoch;
    const before = this.#end;
    const dial = (): void => {
      this.#isLeaving = false;
      this.#attach = message;
      this.#wasWelcome = false;
      this.#dial(message, attached, refuse);
    };
    const isSame = message.epoch === this.#attach?.epoch;
    if (isSame || before?.isOpen !== true || this.#host.has('movesWithoutBye')) {
      this.#end = undefined;
      before?.break();
      dial();
      return;
    }
    this.#leave('reattach', dial);
  }

  release(): void {
    clearInterval(this.#timer);
    this.#leave('released', () => {});
    this.#attach = undefined;
  }

  abort(): void {
    clearInterval(this.#timer);
    this.#attach = undefined;
    this.#end?.break();
  }

  #leave(reason: string, then: () => void): void {
    this.#isLeaving = true;
    this.#whenLeft = then;
    this.#end?.say({ type: 'bye', reason });
    if (this.#host.has('talksAfterBye')) this.#end?.say({ type: 'bye', reason });
  }

  #dial(message: AttachMessage, attached: () => void, refuse: (code: string) => void): void {
    const host = this.#host;
    let isWelcome = false;
    const end = new SmallEnd<WorkerMessage>({
      url: message.workerUrl,
      token: message.token,
      subprotocol: 'earshot.media.v1',
      parse: parseWorkerMessage,
      isKind: host.has('staysOpenOnBadTexts'),
      takesBinary: host.has('takesBinary'),
      isStrict: host.has('closesOnUnknownTypes'),
      pings: host.has('pingsNever')
        ? undefined
        : (id) => ({ type: 'ping', id, clockNowTicks: this.#nowTicks() }),
      dropsNobody: host.has('dropsNobody'),
      opened: () => this.#hello(end, message.epoch),
      message: (told) => {
        if (told.type === 'welcome') {
          isWelcome = true;
          this.#wasWelcome = true;
          this.#welcome(told);
          if (!host.has('attachedBeforeWelcome')) attached();
        } else this.#message(told);
      },
      closed: (code) => {
        if (end !== this.#end) return;
        if (!isWelcome) refuse(`closed_${code}`);
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
    });
    if (this.#host.has('talksBeforeWelcome')) {
      end.say({ type: 'ping', id: 0, clockNowTicks: this.#nowTicks() });
    }
  }

  #welcome(welcome: WelcomeMessage): void {
    this.#credit = welcome.creditFrames;
    const host = this.#host;
    for (const stream of this.#streams) {
      const listed = welcome.resume.find(({ streamId }) => streamId === stream.streamId);
      const off = host.has('replaysFromTheWrongPosition') && listed !== undefined ? 3 : 0;
      stream.restart((listed?.durableSequence ?? stream.durable) + off);
      if (host.has('skipsWhatWasLost')) stream.skipSent();
      if (host.has('sequenceStartsAnew') && this.#links > 1) stream.startAnew();
      if (!host.has('framesBeforeStreamOpen')) this.#open(stream);
    }
    this.#tell('active');
    this.#timer ??= setInterval(() => this.#tick(), PACE_MS);
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
    if (message.type !== 'progress') return;
    this.#credit = message.creditFrames;
    for (const { streamId, received, durable } of message.streams) {
      this.#streams.find((stream) => stream.streamId === streamId)?.acknowledge(received, durable);
    }
  }

  #closed(code: number): void {
    this.#end = undefined;
    if (this.#isLeaving) {
      this.#whenLeft?.();
      return;
    }
    const host = this.#host;
    const waits =
      (ELSEWHERE.has(code) && !(code === 4409 && host.has('redialsWorkersAfterConflict'))) ||
      host.has('redialsNoWorker');
    if (!this.#wasWelcome) return;
    if (waits) this.#tell('failed', `closed_${code}`);
    else {
      this.#tell('inactive', 'link_interrupted');
      setTimeout(() => this.#again(), 10 + Math.random() * BACK_OFF_MS);
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

  #tick(): void {
    const host = this.#host;
    const n = this.#frame;
    this.#frame += 1;
    for (const stream of this.#streams) {
      const isMuted = stream.streamId === 2 && n % 20 >= 5 && n % 20 < 8;
      if (isMuted) continue;
      if (host.has('sequenceJumps') && n % 5 === 0) stream.jump(10);
      if (n % 40 === 30) stream.jump(1);
      const isAfterPause = stream.streamId === 2 && n % 20 === 8;
      const flags =
        (isAfterPause && !host.has('noDiscontinuity') ? 4 : 0) +
        (host.has('unnamedFlags') ? 0x40 : 0);
      stream.push(EPOCH_TICKS + BigInt(n) * TICKS_PER_FRAME, flags);
    }
    this.#flush();
  }

  #flush(): void {
    if (this.#end?.isOpen !== true || this.#isLeaving) return;
    const host = this.#host;
    for (const stream of this.#streams) {
      const lost = stream.takeLost();
      if (lost !== undefined && !host.has('dropsInSilence')) {
        this.#end.say({
          type: 'discarded',
          streamId: stream.streamId,
          reason: 'overflow',
          ...lost,
        });
      }
      while (stream.hasUnsent && (host.has('ignoresCredit') || this.#inFlight() < this.#credit)) {
        this.#end.sendBinary(
          stream.sendNext({
            flagsReplays: !host.has('neverFlagsReplays'),
            otherAudio: host.has('replaysOtherAudio'),
            pcmBytes: host.has('wrongPcmLength') ? 320 : 640,
            swapsTicks: host.has('bigEndianTicksHalves'),
          }),
        );
      }
      if (host.has('framesBeforeStreamOpen') && !stream.isOpened) {
        stream.isOpened = true;
        this.#open(stream);
      }
    }
  }

  #inFlight(): number {
    return this.#streams.reduce((sum, stream) => sum + stream.inFlight, 0);
  }

  #nowTicks(): string {
    return String(EPOCH_TICKS + BigInt(this.#frame) * TICKS_PER_FRAME);
  }

  #tell(state: string, detail?: string): void {
    this.#host.tell(this.mediaId, state, detail);
  }
}
