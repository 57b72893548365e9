import { randomBytes } from 'node:crypto';
import type { AttachMessage, SignalingMessage } from '@earshot/bridge-protocol';
import { parseSignalingMessage } from '@earshot/bridge-protocol';
import { SmallEnd } from './small-end.js';
import type { SendDefect } from './small-send-stream.js';
import { SmallSession } from './small-session.js';

/** What a small host can do wrong. */
export type HostDefect =
  | SendDefect
  | 'keyInUrl'
  | 'talksBeforeWelcome'
  | 'anotherHostIdEachTime'
  | 'takesBinary'
  | 'staysOpenOnBadTexts'
  | 'closesOnUnknownTypes'
  | 'answersNoPing'
  | 'pingsNever'
  | 'dropsNobody'
  | 'sameMediaIdForAll'
  | 'attachedBeforeWelcome'
  | 'refusesNobody'
  | 'takesStaleEpochs'
  | 'movesWithoutBye'
  | 'saysNoHealth'
  | 'tellsStatesOnce'
  | 'redialsAfterConflict'
  | 'redialsWorkersAfterConflict'
  | 'redialsNoWorker'
  | 'wrongEpochInHello'
  | 'mediaEpochOfEachLink'
  | 'framesBeforeStreamOpen'
  | 'wrongPcmLength'
  | 'bigEndianTicksHalves'
  | 'sequenceJumps'
  | 'sequenceStartsAnew'
  | 'unnamedFlags'
  | 'noDiscontinuity'
  | 'ignoresCredit'
  | 'dropsInSilence'
  | 'replaysFromTheWrongPosition'
  | 'neverFlagsReplays'
  | 'replaysOtherAudio'
  | 'skipsWhatWasLost'
  | 'talksAfterBye'
  | 'sharesCredit'
  | 'sendsStreamByStream'
  | 'saysOneReason'
  | 'saysWindowForOverflow'
  | 'tellsSomeLosses'
  | 'tellsLossesTwice'
  | 'closesStreamsEarly'
  | 'closesShort'
  | 'forgetsClosedStreams'
  | 'reopensEndedStreams'
  | 'ignoresResumeTokens'
  | 'keepsResumeTokenOverAttach'
  | 'redialsAfter401'
  | 'redialsTheOld'
  | 'forgetsOlderAttaches'
  | 'mindsReplacedLinks'
  | 'failsWithoutAWord';

const BACK_OFF_MS = 20;
/** Of the host link: 4401 and 401, 4409 and 4426 end it. */
const FINAL: ReadonlySet<number> = new Set([4401, 4409, 4426]);

/**
 * A media host written from the specification alone, without our bridge package: right unless it
 * is told to have a defect. Its two sources make audio as soon as they are attached.
 */
export class SmallHost {
  readonly defect: HostDefect | undefined;
  readonly #sessions = new Map<string, SmallSession>();
  readonly #states = new Map<string, object>();
  #hostId = newId('h');
  #url = '';
  #key = '';
  #end: SmallEnd | undefined;
  #isClosed = false;

  constructor(defect?: HostDefect) {
    this.defect = defect;
  }

  has(defect: HostDefect): boolean {
    return this.defect === defect;
  }

  /** Dials, and goes on dialling. */
  start(url: string, key: string): void {
    this.#url = url;
    this.#key = key;
    this.#dial();
  }

  restart(): void {
    this.#end?.break();
    this.#dial();
  }

  close(): void {
    this.#isClosed = true;
    for (const session of this.#sessions.values()) session.abort();
    this.#end?.break();
  }

  /** Tells the state of a session, now and after each reconnect. */
  tell(mediaId: string, state: string, detail?: string): void {
    const message = { type: 'mediaState', mediaId, state, ...(detail ? { detail } : {}) };
    if (this.#sessions.has(mediaId)) this.#states.set(mediaId, message);
    this.#end?.say(message);
  }

  #dial(): void {
    if (this.#isClosed) return;
    if (this.has('anotherHostIdEachTime')) this.#hostId = newId('h');
    const url = this.has('keyInUrl') ? `${this.#url}?key=${this.#key}` : this.#url;
    const end = new SmallEnd({
      url,
      token: this.#key,
      subprotocol: 'earshot.host.v1',
      parse: parseSignalingMessage,
      isKind: this.has('staysOpenOnBadTexts'),
      takesBinary: this.has('takesBinary'),
      isStrict: this.has('closesOnUnknownTypes'),
      pings: this.has('pingsNever') ? undefined : (id) => ({ type: 'ping', id }),
      dropsNobody: this.has('dropsNobody'),
      opened: () => this.#hello(end),
      message: (message) => this.#message(message, end),
      closed: (code) => this.#closed(code, end),
    });
    this.#end = end;
  }

  #hello(end: SmallEnd): void {
    const mediaKinds = ['unmixed'];
    end.say({ type: 'hello', version: 1, hostId: this.#hostId, capacity: 100, mediaKinds });
    if (this.has('talksBeforeWelcome')) this.#health(end);
  }

  #health(end: SmallEnd | undefined = this.#end): void {
    if (this.has('saysNoHealth')) return;
    end?.say({ type: 'health', activeCalls: this.#sessions.size, level: 'normal' });
  }

  #closed(code: number, end: SmallEnd): void {
    if (end !== this.#end) return;
    const isFinal = FINAL.has(code) && !(code === 4409 && this.has('redialsAfterConflict'));
    if (!isFinal) setTimeout(() => this.#dial(), Math.random() * BACK_OFF_MS);
  }

  #message(message: SignalingMessage, end: SmallEnd): void {
    if (message.type === 'ping') {
      if (!this.has('answersNoPing')) end.say({ type: 'pong', id: message.id });
    } else if (message.type === 'welcome') {
      this.#health(end);
      if (this.has('tellsStatesOnce')) return;
      for (const state of this.#states.values()) end.say(state);
    } else if (message.type === 'allocate') {
      const mediaId = this.has('sameMediaIdForAll') ? 'm_1' : newId('m');
      this.#sessions.set(mediaId, new SmallSession(this, mediaId, message.callId));
      end.say({ type: 'allocated', requestId: message.requestId, mediaId, blob: 'blob' });
      this.#health();
    } else if (message.type === 'attach') this.#attach(message);
    else if (message.type === 'release') this.#release(message.mediaId);
  }

  #release(mediaId: string): void {
    const session = this.#sessions.get(mediaId);
    if (session === undefined) return;
    this.#sessions.delete(mediaId);
    this.#states.delete(mediaId);
    session.release();
    this.tell(mediaId, 'ended', 'released');
    this.#health();
  }

  #attach(message: AttachMessage): void {
    const { requestId, mediaId, epoch } = message;
    const session = this.#sessions.get(mediaId);
    const refuse = (code: string): void => {
      this.#end?.say({ type: 'refused', requestId, code, message: 'no' });
    };
    const attached = (): void => {
      this.#end?.say({ type: 'attached', requestId, mediaId, epoch });
    };
    if (session === undefined) {
      if (this.has('refusesNobody')) attached();
      else refuse('media_not_found');
      return;
    }
    if (epoch < session.epoch && !this.has('takesStaleEpochs')) {
      refuse('stale_epoch');
      return;
    }
    if (this.has('attachedBeforeWelcome')) attached();
    session.attach(message, attached, refuse);
  }
}

export function newId(kind: string): string {
  return `${kind}_${randomBytes(9).toString('base64url')}`;
}
