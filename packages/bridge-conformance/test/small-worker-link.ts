import type { HelloMessage } from '@earshot/bridge-protocol';
import {
  FrameCursor,
  LIMITS,
  parseMediaHostMessage,
  sequenceDistance,
} from '@earshot/bridge-protocol';
import type { WebSocket } from 'ws';
import { SmallHeard } from './small-heard.js';
import type { SmallClaims } from './small-tokens.js';
import type { SmallCall, SmallWorker } from './small-worker.js';

const PING_INTERVAL_MS = 300;
const CREDIT_FRAMES = 200;
/** More than a small worker is behind with what is durable. */
const LAG = 6;

/** What a small worker can do wrong. */
export type WorkerDefect =
  | 'acceptsAnySignature'
  | 'acceptsExpiredTokens'
  | 'acceptsTokensOfOthers'
  | 'answersEveryPath'
  | 'needsNoSubprotocol'
  | 'negotiatesDeflate'
  | 'refusesInPlainText'
  | 'speaksFirst'
  | 'wrongWelcomeVersion'
  | 'waitsForHelloForEver'
  | 'acceptsEveryCall'
  | 'answersNoPing'
  | 'ownTicksInPong'
  | 'dropsNobody'
  | 'socketPingsAreLife'
  | 'staysOpenOnBadFrames'
  | 'takesPcmOfAnyLength'
  | 'wrongCloseForVersion'
  | 'closesForStrays'
  | 'silentOnUnknownTypes'
  | 'closesOnUnknownTypes'
  | 'takesNullForAbsent'
  | 'takesLargeTexts'
  | 'takes65Streams'
  | 'opensTwice'
  | 'countsDuplicates'
  | 'breaksAtWrap'
  | 'forgetsClosedStreams'
  | 'tellsNoProgress'
  | 'durableBeforeReceived'
  | 'byeWithoutFinished'
  | 'takesStaleEpochs'
  | 'keepsReplacedLinks'
  | 'resumesNothing'
  | 'returnsAfterBye'
  | 'tokensForEver'
  | 'usesUpTokensAtTheDoor'
  | 'keepsOldResumeTokens'
  | 'resumeTokensExpire'
  | 'takesEpochsForCalls'
  | 'letsEveryoneWait'
  | 'resumesFromDurable'
  | 'listsEveryStream'
  | 'countsDiscardedTwice'
  | 'losesNothingAtClose'
  | 'forgetsLostOverBreaks'
  | 'forgetsPositionsOverEpochs'
  | 'believesFirstSequence'
  | 'durableGoesBack'
  | 'oneCreditForAll'
  | 'losesBeyondCredit'
  | 'progressOnceASecond'
  | 'sendInEveryWelcome'
  | 'knowsNoSendMessages'
  | 'clearsUnasked';

/** Any message, its members to be taken one by one. */
interface Loose {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** One media link of a small worker. */
export class SmallWorkerLink {
  readonly #socket: WebSocket;
  readonly #worker: SmallWorker;
  readonly #claims: SmallClaims;
  readonly #cursor = new FrameCursor();
  readonly #open = new Set<number>();
  readonly #codecs = new Map<number, number>();
  #call: SmallCall | undefined;
  #isOver = false;
  /** Others came before it. */
  #isContinued = false;
  #heard = true;
  #missed = 0;
  #timer: NodeJS.Timeout | undefined;
  #progressTimer: NodeJS.Timeout | undefined;
  #whenSettled: () => void = () => {};

  constructor(socket: WebSocket, worker: SmallWorker, claims: SmallClaims) {
    this.#socket = socket;
    this.#worker = worker;
    this.#claims = claims;
  }

  /** @param whenSettled told once it is welcomed or gone. */
  start(whenSettled: () => void): void {
    this.#whenSettled = whenSettled;
    const socket = this.#socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#isOver = true;
      clearTimeout(this.#timer);
      clearInterval(this.#timer);
      clearInterval(this.#progressTimer);
      whenSettled();
      if (this.#call?.link === this) this.#call.link = undefined;
    });
    if (this.#has('socketPingsAreLife')) socket.on('ping', () => this.#alive());
    if (this.#has('speaksFirst')) this.#say({ type: 'pong', id: 0 });
    if (!this.#has('waitsForHelloForEver')) {
      const helloMs = LIMITS.helloTimeoutMs;
      this.#timer = setTimeout(() => this.end(4408, 'hello_timeout'), helloMs);
    }
    socket.on('message', (data: Buffer, isBinary) => {
      if (this.#isOver) return;
      this.#alive();
      if (isBinary) this.#frames(data);
      else this.#text(data);
    });
  }

  end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#socket.close(code, reason);
  }

  #has(defect: WorkerDefect): boolean {
    return this.#worker.defect === defect;
  }

  #alive(): void {
    this.#heard = true;
  }

  #say(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  #text(data: Buffer): void {
    if (data.length > LIMITS.maxJsonBytes && !this.#has('takesLargeTexts')) {
      this.end(4413, 'too_large');
      return;
    }
    const parsed = parseMediaHostMessage(this.#repaired(data.toString()));
    if (!parsed.ok) {
      this.#bad(parsed.code, parsed.detail);
      return;
    }
    const { message } = parsed;
    if (message.type === 'hello') this.#hello(message);
    else if (this.#call === undefined) this.end(4400, 'message_before_welcome');
    else this.#message(message as unknown as Loose, this.#call);
  }

  /** What parses where this worker is too kind. */
  #repaired(text: string): string {
    if (this.#has('takesNullForAbsent')) {
      return text.replace(/,"(?:virtualTime|sourceId)":null(?=.*"(?:codec|hello|callId)"|\})/, '');
    }
    if (this.#has('takesLargeTexts') && text.length > LIMITS.maxJsonBytes) {
      return '{"type":"ping","id":77,"clockNowTicks":"1"}';
    }
    return text;
  }

  #bad(code: string, detail: string): void {
    if (code === 'unsupported_type' && this.#call !== undefined) {
      if (this.#has('closesOnUnknownTypes')) this.end(4400, 'invalid_message');
      else if (!this.#has('silentOnUnknownTypes')) this.#say({ type: 'unsupported', what: detail });
    } else if (code === 'unsupported_version') this.end(4426, code);
    else if (code === 'too_large') this.end(4413, code);
    else this.end(4400, code === 'unsupported_type' ? 'message_before_welcome' : code);
  }

  #hello(hello: HelloMessage): void {
    const { callId, epoch, token } = this.#claims;
    const { tokens } = this.#worker;
    if (this.#call !== undefined) {
      this.end(4400, 'hello_repeated');
      return;
    }
    if (!this.#has('acceptsEveryCall')) {
      const isWrongCall = hello.callId !== callId;
      if (isWrongCall || hello.epoch !== epoch) {
        const isCall = isWrongCall || this.#has('takesEpochsForCalls');
        this.end(4401, isCall ? 'wrong_call' : 'wrong_epoch');
        return;
      }
    }
    if (tokens.isUsed(token) && !this.#has('usesUpTokensAtTheDoor')) {
      this.end(4401, 'replayed');
      return;
    }
    const call = this.#take(hello);
    if (call === undefined) return;
    tokens.use(token);
    this.#welcome(call, hello);
  }

  #welcome(call: SmallCall, hello: HelloMessage): void {
    clearTimeout(this.#timer);
    this.#whenSettled();
    this.#call = call;
    const send = hello.send !== undefined || this.#has('sendInEveryWelcome') ? { send: true } : {};
    this.#say({
      type: 'welcome',
      version: this.#has('wrongWelcomeVersion') ? 2 : 1,
      workerId: 'w_small',
      creditFrames: CREDIT_FRAMES,
      pingIntervalMs: PING_INTERVAL_MS,
      resume: this.#resume(call),
      resumeToken: this.#worker.tokens.renew(this.#claims),
      ...send,
    });
    if (this.#has('clearsUnasked')) this.#say({ type: 'clear', streamId: 1 });
    this.#timer = setInterval(() => this.#beat(), PING_INTERVAL_MS);
    if (this.#has('progressOnceASecond')) {
      this.#progressTimer = setInterval(() => this.#sayProgress(call), 1000);
    }
  }

  #resume(call: SmallCall): object[] {
    if (this.#has('resumesNothing')) return [];
    const positions = Array.from(call.streams, ([streamId, { received, durable }]) => ({
      streamId,
      durableSequence: this.#has('resumesFromDurable') ? durable : received,
    }));
    return this.#has('listsEveryStream') ? positions : positions.slice(-LIMITS.maxListedStreams);
  }

  /** The call that a good hello continues; otherwise closes. */
  #take(hello: HelloMessage): SmallCall | undefined {
    const { callId, epoch, mediaEpochTicks } = hello;
    const known = this.#worker.calls.get(callId);
    if (known === undefined || epoch > known.epoch) {
      known?.link?.end(4409, 'lease_lost');
      const streams = this.#has('forgetsPositionsOverEpochs') ? undefined : known?.streams;
      for (const stream of streams?.values() ?? []) stream.restart();
      this.#isContinued = streams !== undefined;
      const fresh = { epoch, mediaEpochTicks, link: this, isOver: false };
      const call = { ...fresh, streams: streams ?? new Map<number, SmallHeard>() };
      this.#worker.calls.set(callId, call);
      return call;
    }
    if (epoch < known.epoch && !this.#has('takesStaleEpochs')) return this.#refuse('stale_epoch');
    if (known.isOver && !this.#has('returnsAfterBye')) return this.#refuse('attachment_over');
    if (known.mediaEpochTicks !== mediaEpochTicks) {
      this.end(4400, 'media_epoch_changed');
      return undefined;
    }
    if (!this.#has('keepsReplacedLinks')) known.link?.end(4409, 'replaced');
    known.link = this;
    this.#isContinued = true;
    for (const stream of known.streams.values()) {
      if (this.#has('forgetsLostOverBreaks')) stream.lost = 0;
    }
    return known;
  }

  #refuse(code: string): undefined {
    this.#say({ type: 'error', code, message: 'no' });
    this.end(4409, code);
    return undefined;
  }

  #message(message: Loose, call: SmallCall): void {
    const streamId = Number(message['streamId']);
    if (call.isOver && message.type !== 'ping') return;
    switch (message.type) {
      case 'ping':
        this.#pong(Number(message['id']), String(message['clockNowTicks']));
        return;
      case 'streamOpen':
        this.#openStream(streamId, message, call);
        return;
      case 'discarded':
        if (this.#has('countsDiscardedTwice')) {
          const stream = call.streams.get(streamId);
          if (stream !== undefined) stream.lost += Number(message['frames']);
        }
        return;
      case 'sendProgress':
        if (this.#has('knowsNoSendMessages'))
          this.#say({ type: 'unsupported', what: message.type });
        return;
      case 'streamClose':
        this.#closeStream(streamId, Number(message['nextSequence']), call);
        return;
      case 'bye':
        call.isOver = true;
        if (!this.#has('byeWithoutFinished')) this.#say({ type: 'finished' });
        this.end(1000, 'finished');
    }
  }

  #pong(id: number, ticks: string): void {
    if (this.#has('answersNoPing')) return;
    const clockNowTicks = this.#has('ownTicksInPong') ? String(Number(ticks)) : ticks;
    this.#say({ type: 'pong', id, clockNowTicks });
  }

  #openStream(streamId: number, message: Loose, call: SmallCall): void {
    if (this.#open.has(streamId)) {
      if (!this.#has('opensTwice')) this.end(4400, 'stream_already_open');
      return;
    }
    if (this.#open.size === LIMITS.maxStreams && !this.#has('takes65Streams')) {
      this.end(4400, 'too_many_streams');
      return;
    }
    this.#open.add(streamId);
    this.#codecs.set(streamId, message['codec'] === 'opus' ? 1 : 2);
    const firstSequence = Number(message['firstSequence']);
    const known = call.streams.get(streamId);
    if (known === undefined) call.streams.set(streamId, new SmallHeard(firstSequence));
    else {
      known.isClosed = false;
      known.isTold = false;
      if (this.#has('believesFirstSequence')) known.received = firstSequence;
    }
  }

  #closeStream(streamId: number, nextSequence: number, call: SmallCall): void {
    const stream = call.streams.get(streamId);
    if (!this.#open.delete(streamId) || stream === undefined) {
      this.end(4400, 'stream_not_open');
      return;
    }
    if (this.#has('losesNothingAtClose')) stream.pass(nextSequence);
    else stream.skipTo(nextSequence);
    stream.close();
    if (this.#has('forgetsClosedStreams')) call.streams.delete(streamId);
    this.#progress(call);
  }

  #frames(data: Buffer): void {
    const call = this.#call;
    if (call === undefined) {
      this.end(4400, 'frames_before_welcome');
      return;
    }
    const bytes = this.#has('takesPcmOfAnyLength') ? withoutOddPcm(data) : new Uint8Array(data);
    const error = this.#cursor.open(bytes);
    if (error !== undefined) {
      if (this.#has('staysOpenOnBadFrames')) return;
      const isVersion = error.closeCode === 4426 && this.#has('wrongCloseForVersion');
      this.end(isVersion ? 4400 : error.closeCode, error.code);
      return;
    }
    if (call.isOver) return;
    const before = new Map(Array.from(call.streams, ([id, { received }]) => [id, received]));
    while (this.#cursor.next()) this.#frame(this.#cursor, call);
    this.#bound(before, call);
    this.#progress(call);
  }

  #frame({ streamId, sequence }: FrameCursor, call: SmallCall): void {
    const stream = this.#open.has(streamId) ? call.streams.get(streamId) : undefined;
    if (stream === undefined) {
      if (this.#has('closesForStrays')) this.end(4400, 'stream_not_open');
      return;
    }
    const ahead = this.#has('breaksAtWrap')
      ? sequence - stream.received
      : sequenceDistance(stream.received, sequence);
    if (ahead < 0) {
      if (this.#has('countsDuplicates')) stream.received = (stream.received + 1) >>> 0;
      return;
    }
    stream.skipTo(sequence);
    stream.pass((sequence + 1) >>> 0);
  }

  /** This worker has room for all; those with a defect here count as if they had not. */
  #bound(before: ReadonlyMap<number, number>, call: SmallCall): void {
    for (const [streamId, stream] of call.streams) {
      const came = stream.received - (before.get(streamId) ?? stream.received);
      if (this.#has('losesBeyondCredit')) stream.lost += Math.max(0, came - CREDIT_FRAMES);
      if (this.#has('oneCreditForAll') && call.streams.size > 2) stream.dropped += came;
    }
  }

  #progress(call: SmallCall): void {
    if (!this.#has('progressOnceASecond')) this.#sayProgress(call);
  }

  #sayProgress(call: SmallCall): void {
    if (this.#has('tellsNoProgress') || this.#isOver) return;
    const past = this.#has('durableBeforeReceived') ? LAG : 0;
    const streams = Array.from(call.streams)
      .filter(([, stream]) => !stream.isTold)
      .map(([streamId, stream]) => {
        if (stream.isOver) stream.isTold = true;
        const { received, lost, dropped } = stream;
        const isBack = this.#has('durableGoesBack') && this.#isContinued;
        const durable = isBack ? Math.max(0, stream.durable - 100) : stream.durable;
        return { streamId, received, durable: (durable + past) >>> 0, lost, dropped };
      });
    this.#say({ type: 'progress', streams, creditFrames: CREDIT_FRAMES });
  }

  #beat(): void {
    this.#missed = this.#heard ? 0 : this.#missed + 1;
    this.#heard = false;
    if (this.#missed >= 2 && !this.#has('dropsNobody')) this.end(4408, 'peer_silent');
  }
}

/** As if every PCM16 frame had its 640 bytes: only the first frame of a message is looked at. */
function withoutOddPcm(data: Buffer): Uint8Array {
  const isPcm = data.length > 22 && data[6] === 2;
  return isPcm ? Uint8Array.of(1, 1, 0, 0) : new Uint8Array(data);
}
