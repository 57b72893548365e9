import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { HostLinkServer } from '@earshot/bridge';
import type { EventPublisher } from '@earshot/events';
import type { GraphCalls } from '@earshot/graph';
import type { CallbackBody, CallRecord, Registry } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import type { Answerer } from '../incoming/answerer.js';
import type { SignalingMetrics } from '../metrics.js';
import type { RecordingDesk } from '../recording/recording-desk.js';
import type { AttemptWork } from './attempt-work.js';
import { ofAttempt } from './attempts.js';
import type { AutoLeaver } from './auto-leaver.js';
import { dropPublished, endCall } from './call-changes.js';
import type { EndCode } from './call-end.js';
import { localEnd } from './call-end.js';
import { CallbackWork } from './callback-work.js';
import type { DutyKind } from './duties.js';
import { isGone } from './graph-answers.js';
import type { HostAssignments } from './host-picker.js';
import type { HostPresence } from './host-presence.js';
import { LegWork } from './leg-work.js';
import type { MediaAttacher } from './media-attacher.js';
import type { MediaCalls } from './media-calls.js';
import { NotMine } from './not-mine.js';
import type { RosterReader } from './roster-reader.js';
import type { ServiceState } from './service-state.js';
import { serviceState, withService } from './service-state.js';
import type { SourceBinder } from './source-binder.js';

/** Long enough for one keepAlive; another process takes over after it, within a minute in all. */
export const KEEP_ALIVE_OWNERSHIP_MS = 30_000;

/** What the duties stand on. */
export interface CallWorkOptions {
  readonly registry: Registry;
  readonly graph: GraphCalls;
  readonly hostLink: HostLinkServer;
  readonly publisher: EventPublisher;
  readonly attacher: MediaAttacher;
  readonly attempts: AttemptWork;
  readonly autoLeaver: AutoLeaver;
  readonly rosterReader: RosterReader;
  readonly mediaCalls: MediaCalls;
  readonly hosts: HostPresence;
  readonly sources: SourceBinder;
  readonly answerer: Answerer;
  readonly recording: RecordingDesk;
  readonly assignments: HostAssignments;
  readonly metrics: SignalingMetrics;
  readonly clock: Clock;
  readonly log: Log;
  /** Names this process among those that share Redis. */
  readonly processId: string;
  /** Ends waits on Redis when the service closes. */
  readonly closing: AbortSignal;
}

/** What each duty of a call does to the world and to its record. Throws what has to be retried. */
export class CallWork {
  readonly #options: CallWorkOptions;
  readonly #callbacks: CallbackWork;
  readonly #legs: LegWork;

  constructor(options: CallWorkOptions) {
    this.#options = options;
    this.#callbacks = new CallbackWork(options);
    this.#legs = new LegWork(options);
  }

  /** Folds one stored callback body into the call, then tells of what changed. */
  async notification(callId: string, body: CallbackBody): Promise<void> {
    const record = await this.#callbacks.fold(callId, body);
    if (record !== undefined) await this.#publish(record);
  }

  /** Does one duty. Each is safe to repeat. */
  perform(kind: DutyKind, record: CallRecord): Promise<void> {
    switch (kind) {
      case 'publish':
        return this.#publish(record);
      case 'attach':
      case 'move':
        return this.#options.attacher.attach(record);
      case 'join':
        return this.#options.attempts.join(record);
      case 'giveUpJoin':
        return this.#options.attempts.giveUpJoin(record);
      case 'clearEarlier':
        return this.#options.attempts.clearEarlier(record);
      case 'givePlaceBack':
        return this.#options.attempts.givePlaceBack(record);
      case 'answer':
        return this.#options.answerer.answer(record);
      case 'endUnanswered':
        return this.#options.answerer.giveUp(record);
      case 'shareGate':
      case 'askToRecord':
      case 'closeGate':
      case 'tellStatus':
      case 'dropStatus':
        return this.#options.recording.perform(kind, record);
      case 'keepAlive':
        return this.#keepAlive(record);
      case 'deleteFromGraph':
        return this.#deleteFromGraph(record);
      case 'releaseHost':
        return this.#releaseHost(record);
      case 'close':
        return this.#close(record);
      case 'giveUpHost':
        return this.#giveUpHost(record);
      case 'giveUpDelete':
        return this.#patch(record, { graph: 'requested' }, 'Graph could not be told to end a call');
      case 'deleteStrays':
        return this.#legs.deleteStrays(record);
      case 'closeAgain':
        return this.#legs.closeAgain(record);
      case 'endNotEstablished':
        return this.end(record, 'not_established');
      case 'endHungUp':
        return this.end(record, 'hung_up');
      case 'endMediaFailed':
        return this.#endMediaFailed(record);
      case 'endHostLost':
        return this.#endHostLost(record);
      case 'readRoster':
        return this.#readRoster(record);
      case 'autoLeave':
        return this.#options.autoLeaver.leave(record);
    }
  }

  /** Takes note of a call that has something to be done. */
  remember(record: CallRecord): void {
    this.#options.mediaCalls.remember(record);
    this.#options.recording.renew(record);
  }

  /** Drops what this process remembers of a call that it has nothing more to do for. */
  forget(callId: string): void {
    this.#options.sources.forget(callId);
    this.#options.assignments.release(callId);
    this.#options.mediaCalls.forget(callId);
    this.#options.recording.forget(callId);
  }

  /**
   * Ends a call's present attempt by our own decision; what follows from it are duties of the record.
   *
   * @param patch stored in the same write, also when the call had ended before.
   */
  async end(
    { callId, attemptKey }: CallRecord,
    code: Exclude<EndCode, 'ended_by_teams'>,
    patch: Partial<ServiceState> = {},
  ): Promise<void> {
    const end = localEnd(code, this.#options.clock.wallclockMs());
    await this.#options.registry.updateCall(callId, (current) =>
      ofAttempt(current, attemptKey, (one) => withService(endCall(one, end), patch)),
    );
  }

  async #publish(record: CallRecord): Promise<void> {
    const { publisher, registry } = this.#options;
    const { pendingEvents } = serviceState(record);
    const last = pendingEvents.at(-1);
    if (last === undefined) return;
    for (const event of pendingEvents) {
      if (!publisher.publish(event)) {
        throw new CodedError(
          'outbox_full',
          'Cannot publish events: the outbox must have room, got a full one',
        );
      }
    }
    await this.#untilClosing(publisher.flushed());
    await registry.updateCall(record.callId, (current) => dropPublished(current, last.position));
  }

  /** The audio may have come through in the meantime. */
  async #endMediaFailed(record: CallRecord): Promise<void> {
    const { registry, clock } = this.#options;
    const end = localEnd('media_failed', clock.wallclockMs());
    const sinceMs = serviceState(record).move?.silentSinceMs;
    await registry.updateCall(record.callId, (current) =>
      serviceState(current).move?.silentSinceMs === sinceMs ? endCall(current, end) : current,
    );
  }

  async #keepAlive(record: CallRecord): Promise<void> {
    const { registry, graph, metrics, clock, processId } = this.#options;
    const { graphCallId } = record.model;
    if (graphCallId === undefined) return;
    // One name per beat: whoever did the last one has no claim to the next.
    const key = `keepAlive:${record.callId}:${serviceState(record).keptAliveAtMs}`;
    if (!(await registry.tryOwn(key, processId, KEEP_ALIVE_OWNERSHIP_MS))) throw new NotMine();
    try {
      await graph.keepAlive({ tenantId: record.tenantId, graphCallId });
    } catch (error) {
      if (!isGone(error)) throw error;
      metrics.keepAlives.add(1, { outcome: 'gone' });
      return this.end(record, 'call_gone', { graph: 'gone' });
    }
    metrics.keepAlives.add(1, { outcome: 'ok' });
    const keptAliveAtMs = clock.wallclockMs();
    await registry.updateCall(record.callId, (current) => withService(current, { keptAliveAtMs }));
  }

  async #deleteFromGraph(record: CallRecord): Promise<void> {
    const { registry, graph, metrics, clock } = this.#options;
    const { graphCallId } = record.model;
    if (graphCallId === undefined) return;
    try {
      await graph.delete({ tenantId: record.tenantId, graphCallId });
    } catch (error) {
      if (!isGone(error)) throw error;
      const { end, attempt } = serviceState(record);
      if (end === undefined && attempt?.wanted !== undefined) {
        return this.#options.attempts.legWasGone(record);
      }
      return this.end(record, 'hung_up', { graph: 'gone' });
    }
    const { end, leg } = serviceState(record);
    if (end !== undefined && leg?.foundAtMs !== undefined) {
      metrics.strayLegs.add(1, { found: 'afterEnd' });
    }
    const graphDeletedAtMs = clock.wallclockMs();
    await registry.updateCall(record.callId, (current) =>
      serviceState(current).graph === 'present'
        ? withService(current, { graph: 'deleteSent', graphDeletedAtMs })
        : current,
    );
  }

  async #releaseHost(record: CallRecord): Promise<void> {
    const { hostLink, assignments, registry } = this.#options;
    if (record.hostId !== undefined && record.mediaId !== undefined) {
      hostLink.release(record.hostId, record.mediaId);
    }
    assignments.release(record.callId);
    await registry.updateCall(record.callId, (current) =>
      withService(current, { hostHeld: false }),
    );
  }

  async #readRoster(record: CallRecord): Promise<void> {
    const outcome = await this.#options.rosterReader.read(record);
    if (outcome === 'gone') await this.end(record, 'call_gone', { graph: 'gone' });
  }

  async #endHostLost(record: CallRecord): Promise<void> {
    if (!(await this.#options.hosts.isAwayEverywhere(record.hostId ?? ''))) throw new NotMine();
    await this.end(record, 'host_lost');
  }

  async #giveUpHost(record: CallRecord): Promise<void> {
    if (!(await this.#options.hosts.isAwayEverywhere(record.hostId ?? ''))) throw new NotMine();
    await this.#patch(record, { hostHeld: false }, 'media host never came back; not released');
  }

  async #close(record: CallRecord): Promise<void> {
    const { registry, metrics, log } = this.#options;
    const { callId } = record;
    const { end } = serviceState(record);
    if (end === undefined) return;
    await this.#options.attempts.learn(record);
    await registry.updateCall(callId, (current) => ({ ...current, endedAtMs: end.atMs }));
    metrics.callsEnded.add(1, { cause: end.code, retry: end.retryClass });
    const { code, resultCode, resultSubcode } = end;
    log.info('call ended', { callId, code, resultCode, resultSubcode });
  }

  async #patch(record: CallRecord, patch: Partial<ServiceState>, message: string): Promise<void> {
    const { callId, hostId } = record;
    this.#options.log.warn(message, { callId, hostId });
    await this.#options.registry.updateCall(callId, (current) => withService(current, patch));
  }

  #untilClosing(done: Promise<void>): Promise<void> {
    const { closing } = this.#options;
    return new Promise((resolve, reject) => {
      const stop = (): void => reject(new CodedError('closing', 'The service is closing'));
      if (closing.aborted) stop();
      closing.addEventListener('abort', stop, { once: true });
      done.then(resolve, reject).finally(() => closing.removeEventListener('abort', stop));
    });
  }
}
