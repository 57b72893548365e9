import { storedGateKey } from '@earshot/recording-gate';

/**
 * Names of all keys. What one script touches shares a hash tag: everything of a call has the
 * call's id as tag, everything of workers (leases among it) the tag `workers`.
 */
export class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Hash: version, nonce, record, and whether it is over. */
  readonly call = (callId: string): string => this.#of(`{${callId}}:record`);
  /** List of raw notifications. */
  readonly notifications = (callId: string): string => this.#of(`{${callId}}:notifications`);
  /** Sorted set: digests of the newest notifications, in order. */
  readonly seen = (callId: string): string => this.#of(`{${callId}}:seen`);
  /** List of notifications that could not be handled, newest first. */
  readonly aside = (callId: string): string => this.#of(`{${callId}}:aside`);
  /** String: token of who handles the notifications. */
  readonly notificationLock = (callId: string): string => this.#of(`{${callId}}:lock`);
  /** Hash: source id → participant. */
  readonly sources = (callId: string): string => this.#of(`{${callId}}:sources`);
  /** String: how many in the call are not muted. */
  readonly unmuted = (callId: string): string => this.#of(`{${callId}}:unmuted`);
  /** String: when somebody was last heard, Unix ms. */
  readonly spoke = (callId: string): string => this.#of(`{${callId}}:spoke`);
  /** Hash: play id → record. */
  readonly plays = (callId: string): string => this.#of(`{${callId}}:plays`);
  /** List: ids of plays not settled, in order. */
  readonly playsWaiting = (callId: string): string => this.#of(`{${callId}}:plays-waiting`);
  /** List: ids of all plays remembered, oldest first. */
  readonly playOrder = (callId: string): string => this.#of(`{${callId}}:play-order`);
  /** Hash: play id → Ogg Opus. */
  readonly playAudio = (callId: string): string => this.#of(`{${callId}}:play-audio`);
  /** String: `yes` or `no`. */
  readonly playHost = (callId: string): string => this.#of(`{${callId}}:play-host`);
  /** Hash: the recording gate, its number of changes, since and until when it counts. */
  readonly recordingGate = (callId: string): string => storedGateKey(this.#prefix, callId);
  /** Set: ids of the participants that a call records under a policy. */
  readonly recorded = (callId: string): string => this.#of(`{${callId}}:recorded`);
  /** Hash: part of the listening settings → JSON. */
  readonly listening = (callId: string): string => this.#of(`{${callId}}:listening`);
  /** List: what is kept of a call's transcript, JSON. */
  readonly transcript = (callId: string): string => this.#of(`{${callId}}:transcript`);
  /** Hash: bytes of that list, and how many gave way. */
  readonly transcriptSize = (callId: string): string => this.#of(`{${callId}}:transcript-size`);
  /** A number only: it is there while nothing may be kept. */
  readonly notKept = (callId: string): string => this.#of(`{${callId}}:not-kept`);
  /** Channel: ids of calls whose listening settings were changed. */
  readonly listeningWakes = (): string => this.#of('listening-wakes');
  /** Channel: call ids. */
  readonly playWakes = (): string => this.#of('play-wakes');
  /** Channel: ids of calls that other processes should look at. */
  readonly callWakes = (): string => this.#of('call-wakes');
  /** Hash: host id → description, and the process that has it. */
  readonly hosts = (): string => this.#of('{hosts}:info');
  /** Sorted set: host ids by time of expiry. */
  readonly hostExpiry = (): string => this.#of('{hosts}:expiry');
  /** String: call id. */
  readonly attempt = (attemptKey: string): string => this.#of(`attempt:{${attemptKey}}`);
  /** String: call id. */
  readonly idempotency = (key: string): string => this.#of(`idempotency:{${key}}`);
  /** Hash: digest, token, time and answer of the first request with a caller's key. */
  readonly request = (key: string): string => this.#of(`request:{${key}}`);
  /** Sorted set: call ids by time of creation. */
  readonly calls = (): string => this.#of('calls');
  /** Set: ids of calls that have not ended. */
  readonly openCalls = (): string => this.#of('open-calls');
  /** Hash: worker id → description. */
  readonly workers = (): string => this.#of('{workers}:info');
  /** Sorted set: worker ids by time of expiry. */
  readonly workerExpiry = (): string => this.#of('{workers}:expiry');
  /** Hash: worker id → placements since its last heartbeat. */
  readonly workerPlaced = (): string => this.#of('{workers}:placed');
  /** Hash: the newest epoch of a call and whose it is; the newest that was claimed, and by whom. */
  readonly placement = (callId: string): string => this.#of(`{workers}:placement:${callId}`);
  /** String that expires: `epoch workerId` of who holds the call's media. */
  readonly lease = (callId: string): string => this.#of(`{workers}:lease:${callId}`);
  /** Hash: stream id → position and what goes with it; and the media session that they are of. */
  readonly positions = (callId: string): string => this.#of(`{workers}:positions:${callId}`);
  /** Hash: call id → the place that it has among the calls of an app. */
  readonly admissionPlaces = (appId: string): string => this.#of(`{admission}:places:${appId}`);
  /** Hash: month → how often an app made a call in it. */
  readonly admissionMonths = (appId: string): string => this.#of(`{admission}:months:${appId}`);
  /** Hash: pause, closed month, and how often places become free. */
  readonly admissionState = (appId: string): string => this.#of(`{admission}:state:${appId}`);
  /** Stream: who did what. */
  readonly audit = (): string => this.#of('audit');
  /** String that expires: owner. */
  readonly ownership = (key: string): string => this.#of(`own:{${key}}`);

  #of(name: string): string {
    return `${this.#prefix}:${name}`;
  }
}
