import type { Clock } from '@earshot/async';
import type { SourceOwner, SourceOwners } from '@earshot/call';
import { ownerAt } from '@earshot/call';
import type { ListeningChange, ListeningSettings } from '@earshot/listening';
import { DEFAULT_LISTENING } from '@earshot/listening';
import type { GateState } from '@earshot/recording-gate';
import { AdmissionStore } from './admission-store.js';
import { AuditStore } from './audit-store.js';
import type { CallRecord } from './call-record.js';
import type { CallPage, ListOptions } from './call-store.js';
import { CallStore, OPEN_TTL_MS } from './call-store.js';
import { CallWakes } from './call-wakes.js';
import { HostStore } from './host-store.js';
import { Keys } from './keys.js';
import { ListeningStore } from './listening-store.js';
import type { CallbackBody, NotificationAside } from './notification.js';
import { NotificationQueue } from './notification-queue.js';
import { PlayStore } from './play-store.js';
import type { StreamPosition } from './position-store.js';
import { PositionStore } from './position-store.js';
import { RecordingStore } from './recording-store.js';
import { LuaScript, RedisConnection } from './redis-connection.js';
import { RequestStore } from './request-store.js';
import { SourceStore } from './source-store.js';
import { TranscriptStore } from './transcript-store.js';
import type { Lease, Placement, PlaceOptions, WorkerInfo } from './worker-pool.js';
import { WorkerPool } from './worker-pool.js';

export interface RegistryOptions {
  /** `redis://…` or the absolute path of a unix socket. */
  readonly redisUrl: string;
  readonly clock: Clock;
  /** Before every key. @defaultValue earshot */
  readonly prefix?: string;
  /**
   * How long a pod that died keeps a call's notifications from the others, ms; while it lives,
   * its lock is renewed.
   * @defaultValue 15 000
   */
  readonly lockTtlMs?: number;
}

const OWN = new LuaScript(`
if redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return 1 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`);

/**
 * What the pods of a deployment know together: calls, their notifications, who speaks, the media
 * workers and which of them has which call. Each method is safe to call from any pod at any
 * time, and throws CodedError `redis_unreachable` when Redis is away for longer than a moment;
 * whether the step took effect is then unknown.
 */
export class Registry {
  /** What is to be played into meetings. */
  readonly plays: PlayStore;
  /** Requests by the keys of their callers. */
  readonly requests: RequestStore;
  /** The media hosts that are connected, to whichever process. */
  readonly hosts: HostStore;
  /** Who did what. */
  readonly audit: AuditStore;
  /** What is kept of what was said. */
  readonly transcripts: TranscriptStore;
  readonly #playWakes: CallWakes;
  readonly #callWakes: CallWakes;
  readonly #listeningWakes: CallWakes;
  readonly #redis: RedisConnection;
  readonly #keys: Keys;
  readonly #clock: Clock;
  readonly #calls: CallStore;
  readonly #notifications: NotificationQueue;
  readonly #workers: WorkerPool;
  readonly #sources: SourceStore;
  readonly #positions: PositionStore;
  readonly #recording: RecordingStore;
  readonly #listening: ListeningStore;
  #closing: Promise<void> | undefined;

  /** @throws CodedError `redis_unreachable` when `redisUrl` is no address. */
  constructor(options: RegistryOptions) {
    const { redisUrl, clock, prefix = 'earshot', lockTtlMs = 15_000 } = options;
    this.#redis = new RedisConnection(redisUrl);
    this.#keys = new Keys(prefix);
    this.#clock = clock;
    this.#calls = new CallStore(this.#redis, this.#keys, clock);
    this.#notifications = new NotificationQueue(this.#redis, this.#keys, clock, lockTtlMs);
    this.#workers = new WorkerPool(this.#redis, this.#keys);
    this.#sources = new SourceStore(this.#redis, this.#keys);
    this.plays = new PlayStore(this.#redis, this.#keys);
    this.requests = new RequestStore(this.#redis, this.#keys);
    this.audit = new AuditStore(this.#redis, this.#keys);
    this.#playWakes = new CallWakes(this.#redis, this.#keys.playWakes());
    this.#callWakes = new CallWakes(this.#redis, this.#keys.callWakes());
    this.#listeningWakes = new CallWakes(this.#redis, this.#keys.listeningWakes());
    this.hosts = new HostStore(this.#redis, this.#keys);
    this.#positions = new PositionStore(this.#redis, this.#keys);
    this.transcripts = new TranscriptStore(this.#redis, this.#keys);
    this.#recording = new RecordingStore(this.#redis, this.#keys);
    this.#listening = new ListeningStore(this.#redis, this.#keys);
  }

  /** Connects. @throws CodedError `redis_unreachable`, after about a second of trying. */
  ready(): Promise<void> {
    return this.#redis.ready();
  }

  /** Resolves once the Redis that places calls has answered. @throws CodedError `redis_unreachable`. */
  async ping(): Promise<void> {
    // By a key: in a cluster any node would answer a PING.
    await this.#redis.run((client) => client.exists(this.#keys.workers()));
  }

  /** Closes the connection; idempotent. */
  close(): Promise<void> {
    this.#playWakes.close();
    this.#callWakes.close();
    this.#listeningWakes.close();
    this.#closing ??= this.#redis.close();
    return this.#closing;
  }

  /** Tells of calls in whose plays something changed, from now on. Call once. */
  listenForPlays(listener: (callId: string) => void): Promise<void> {
    return this.#playWakes.listen(listener);
  }

  /**
   * Tells of calls that some process, this one included, wants looked at, from now on. A wake-up may
   * be lost: look by yourself now and then. Call once.
   */
  listenForCalls(listener: (callId: string) => void): Promise<void> {
    return this.#callWakes.listen(listener);
  }

  /** Tells of calls whose listening settings were set, from now on; may be lost, too. Call once. */
  onListeningSet(listener: (callId: string) => void): Promise<void> {
    return this.#listeningWakes.listen(listener);
  }

  /** What is listened for in a call; undefined when nobody said so, or it cannot be read. */
  listening(callId: string): Promise<ListeningSettings | undefined> {
    return this.#listening.read(callId);
  }

  /**
   * Changes what is listened for in a call, and has its worker told.
   *
   * @param change only what it names is replaced.
   * @param initial for what was never set.
   * @returns the settings as stored.
   */
  setListening(
    callId: string,
    change: ListeningChange,
    initial: ListeningSettings = DEFAULT_LISTENING,
  ): Promise<ListeningSettings> {
    return this.#listening.change(callId, change, initial);
  }

  /** Has all processes that listen look at a call. */
  wakeCall(callId: string): Promise<void> {
    return this.#callWakes.wake(callId);
  }

  /** The calls that an app has and has made this month. */
  admission(appId: string): AdmissionStore {
    return new AdmissionStore(this.#redis, this.#keys, appId);
  }

  /** @throws CodedError `call_exists` when there is a call with this id. */
  createCall(record: CallRecord): Promise<void> {
    return this.#calls.create(record);
  }

  readCall(callId: string): Promise<CallRecord | undefined> {
    return this.#calls.read(callId);
  }

  /** A page of all calls, newest first; ended calls are among them for a day. */
  listCalls(options: ListOptions): Promise<CallPage> {
    return this.#calls.list(options);
  }

  /** Ids of the calls that are not over, and of those for which notifications wait. */
  openCalls(): Promise<string[]> {
    return this.#calls.open();
  }

  /**
   * Changes a call's record. `change` is called again with the newer record when another pod was
   * faster, so it must have no effects of its own; when it returns its argument nothing is written.
   *
   * @returns the record as stored.
   * @throws CodedError `call_not_found`; `call_contended` after 100 attempts.
   */
  updateCall(callId: string, change: (record: CallRecord) => CallRecord): Promise<CallRecord> {
    return this.#calls.update(callId, change);
  }

  /** The call that a callback is for, by the unguessable part of its URL. */
  callIdOfAttempt(attemptKey: string): Promise<string | undefined> {
    return this.#calls.ofAttempt(attemptKey);
  }

  /** The call id that this key stands for: of all that ever came with the key, the first (24 h). */
  idempotent(key: string, callId: string): Promise<string> {
    return this.#calls.idempotent(key, callId);
  }

  /**
   * Stores a notification behind the others, on as many replicas as `minReplicas` of the address
   * says. A `duplicate` is not stored again: the same bytes with a message id that came with them
   * before (of the newest 256 of the call, for an hour), or, without an id, the same bytes as the
   * one right before.
   *
   * @throws CodedError `call_not_found`, `too_many_notifications`, `not_replicated`.
   */
  appendNotification(callId: string, body: CallbackBody): Promise<'stored' | 'duplicate'> {
    return this.#notifications.append(callId, body);
  }

  /**
   * Handles a call's notifications in order of arrival, one at a time over all pods. Returns at
   * once when another pod is at it: that one also handles what was appended meanwhile. A
   * notification is removed when `handle` has resolved; a pod that died or lost its lock leaves
   * its last one to the next, so `handle` may see one twice. When `handle` rejects, so does this,
   * and the notification stays first.
   */
  takeNotifications(callId: string, handle: (body: CallbackBody) => Promise<void>): Promise<void> {
    return this.#notifications.take(callId, handle);
  }

  /** Keeps a notification that can't be handled for a day: of a call the newest 16, 64 Ki characters each. */
  setNotificationAside(callId: string, notification: NotificationAside): Promise<void> {
    return this.#notifications.setAside(callId, notification);
  }

  /** What was set aside, newest first. */
  notificationsAside(callId: string): Promise<NotificationAside[]> {
    return this.#notifications.aside(callId);
  }

  /** Remembers whose audio sources carry and carried, by source id; replaces what was known of them. */
  bindSources(callId: string, owners: ReadonlyMap<string, SourceOwners>): Promise<void> {
    return this.#sources.write(callId, owners);
  }

  /** Whose audio sources carry and carried; empty for those that nobody has told of. */
  sourceOwners(
    callId: string,
    sourceIds: readonly string[],
  ): Promise<ReadonlyMap<string, SourceOwners>> {
    return this.#sources.read(callId, sourceIds);
  }

  /** Whose audio a source carries, or carried at `atMs` (Unix). */
  async participantOfSource(
    callId: string,
    sourceId: string,
    atMs: number = this.#clock.wallclockMs(),
  ): Promise<SourceOwner | undefined> {
    const owners = await this.#sources.read(callId, [sourceId]);
    return ownerAt(owners.get(sourceId) ?? [], atMs);
  }

  /** Remembers how many people in the call are not muted. */
  async setUnmuted(callId: string, participants: number): Promise<void> {
    const key = this.#keys.unmuted(callId);
    await this.#redis.run((client) => client.set(key, participants, 'PX', OPEN_TTL_MS));
  }

  /** How many people in the call are not muted; undefined when nobody has told. */
  async unmuted(callId: string): Promise<number | undefined> {
    const text = await this.#redis.run((client) => client.get(this.#keys.unmuted(callId)));
    return text === null ? undefined : Number(text);
  }

  /**
   * Tells recorders of a call's gate. An open one counts for a minute and has to be told again; one
   * with fewer changes than was told before is ignored.
   */
  setRecordingGate(callId: string, gate: GateState): Promise<void> {
    return this.#recording.setGate(callId, gate);
  }

  /** A call's gate as told last; undefined, which means closed, when nobody told lately. */
  recordingGate(callId: string): Promise<GateState | undefined> {
    return this.#recording.gate(callId);
  }

  /**
   * Takes a participant into those that a call records; false when there are `capacity` others.
   * Asking again for one that is among them is true, and changes nothing.
   */
  joinRecorded(callId: string, participantId: string, capacity: number): Promise<boolean> {
    return this.#recording.join(callId, participantId, capacity);
  }

  /** Frees a participant's place; repeating it is harmless. */
  leaveRecorded(callId: string, participantId: string): Promise<void> {
    return this.#recording.leave(callId, participantId);
  }

  /** Remembers that somebody was heard at `atMs` (Unix). Call it now and then, not for each word. */
  async noteSpeech(callId: string, atMs: number): Promise<void> {
    const key = this.#keys.spoke(callId);
    await this.#redis.run((client) => client.set(key, Math.round(atMs), 'PX', OPEN_TTL_MS));
  }

  /** When somebody was last heard (Unix ms), to within half a minute; undefined: never. */
  async spokeAtMs(callId: string): Promise<number | undefined> {
    const text = await this.#redis.run((client) => client.get(this.#keys.spoke(callId)));
    return text === null ? undefined : Number(text);
  }

  /** Says that a worker lives and how it is; it counts as dead `ttlMs` after its last one. */
  heartbeatWorker(worker: WorkerInfo, ttlMs = 10_000): Promise<void> {
    return this.#workers.heartbeat(worker, ttlMs);
  }

  removeWorker(workerId: string): Promise<void> {
    return this.#workers.remove(workerId);
  }

  /** The workers that live, by id. */
  workers(): Promise<WorkerInfo[]> {
    return this.#workers.list();
  }

  /**
   * Gives a call to the least loaded worker that takes calls, with a new epoch: whoever had the
   * call before has it no more. Undefined when there is no such worker.
   *
   * @throws CodedError `not_replicated`: place it again.
   */
  placeCall(callId: string, options: PlaceOptions = {}): Promise<Placement | undefined> {
    return this.#workers.place(callId, options);
  }

  /** Takes a call that was placed here; `stale` when it has been placed anew since. */
  claimLease(
    callId: string,
    workerId: string,
    epoch: number,
    ttlMs: number,
  ): Promise<'ok' | 'stale'> {
    return this.#workers.claim({ callId, workerId, epoch }, ttlMs);
  }

  /** False when the lease has run out or the call was placed anew: stop, or claim again. */
  renewLease(callId: string, workerId: string, epoch: number, ttlMs: number): Promise<boolean> {
    return this.#workers.renew({ callId, workerId, epoch }, ttlMs);
  }

  /** Gives a call back; false when it was no longer held. */
  releaseLease(callId: string, workerId: string, epoch: number): Promise<boolean> {
    return this.#workers.release({ callId, workerId, epoch });
  }

  /** Who holds a call now: placed within 30 s, or claimed and not run out. */
  leaseOf(callId: string): Promise<Lease | undefined> {
    return this.#workers.leaseOf(callId);
  }

  /**
   * Remembers how far streams of a call are. Only the lease that was claimed last may: `stale` for
   * another, though it ran out meanwhile; one that was merely placed does not fence. Positions never
   * go back, modulo 2^32. Those of another media session are forgotten; of more than 1024 streams,
   * those closed longest are.
   *
   * @param mediaId the media session of the host, whose sequences these are.
   * @param memory what another worker needs to know of the call beside, as JSON, in place of what was
   * stored before; undefined leaves that.
   */
  storePositions(
    lease: Lease,
    mediaId: string,
    positions: readonly StreamPosition[],
    memory?: unknown,
  ): Promise<'ok' | 'stale'> {
    return this.#positions.store(lease, mediaId, positions, memory);
  }

  /** What was stored of a media session with `storePositions` beside positions. */
  callMemory(callId: string, mediaId: string): Promise<unknown> {
    return this.#positions.readMemory(callId, mediaId);
  }

  /**
   * What was stored of a media session, each stream once, those written last at the end. After
   * `claimLease` said `ok`, only who claimed can still change it.
   */
  positions(callId: string, mediaId: string): Promise<StreamPosition[]> {
    return this.#positions.read(callId, mediaId);
  }

  /** Forgets the positions of a call that is over for good; fenced as they are. */
  forgetPositions(lease: Lease): Promise<'ok' | 'stale'> {
    return this.#positions.forget(lease);
  }

  /** Takes, or keeps, a named duty for `ttlMs`; false while another owner has it. */
  async tryOwn(key: string, owner: string, ttlMs: number): Promise<boolean> {
    const owned = await this.#redis.run((client) =>
      OWN.run(client, [this.#keys.ownership(key)], [owner, ttlMs]),
    );
    return owned === 1;
  }
}
