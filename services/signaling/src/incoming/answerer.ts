import type { Clock } from '@earshot/async';
import type { HostLinkServer, MediaAllocation } from '@earshot/bridge';
import { normalisedId } from '@earshot/call';
import type { GraphCalls } from '@earshot/graph';
import { GraphError } from '@earshot/graph';
import type { CallRecord, Registry } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import type { Admission } from '../admission/admission.js';
import { endCall } from '../calls/call-changes.js';
import type { EndCode } from '../calls/call-end.js';
import { localEnd } from '../calls/call-end.js';
import type { HostDirectory } from '../calls/host-directory.js';
import type { HostAssignments } from '../calls/host-picker.js';
import { NotMine } from '../calls/not-mine.js';
import { serviceState, withService } from '../calls/service-state.js';
import { graphFailure } from '../calls/start-failures.js';
import type { SignalingMetrics } from '../metrics.js';
import { Problem } from '../rest/problem.js';
import { answerAccepted, isAnswerDue, sendAnswer } from './incoming-changes.js';
import type { IncomingConfig } from './incoming-config.js';

/** Another process goes on when the one that began is gone for so long: some of 5 s must be left. */
export const ANSWERING_OWNERSHIP_MS = 3_000;
/** How long a host is waited for while another one could be asked. */
export const HOST_PATIENCE_MS = 1_500;

/** What answering stands on. */
export interface AnswererOptions {
  readonly registry: Registry;
  readonly graph: GraphCalls;
  readonly hostLink: HostLinkServer;
  readonly assignments: HostAssignments;
  readonly directory: HostDirectory;
  readonly admission: Admission;
  readonly metrics: Pick<SignalingMetrics, 'incomingCalls'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Names this process among those that share Redis. */
  readonly processId: string;
  /** Another process may answer when this one closes. */
  readonly closing: AbortSignal;
  readonly incoming: IncomingConfig;
  /** Base of callback addresses, without a trailing slash. */
  publicUrl(): string;
}

/** What a host gave for the answer; the blob is secret. */
interface Allocated {
  readonly hostId: string;
  readonly mediaId: string;
  readonly blob: string;
}

type LocalEndCode = Exclude<EndCode, 'ended_by_teams'>;

/** Answers calls that came in, or rejects them, within the time that Teams gives. */
export class Answerer {
  readonly #options: AnswererOptions;

  constructor(options: AnswererOptions) {
    this.#options = options;
  }

  /**
   * Decides on a call, and does it; by one process. Throws what has to be tried again in time.
   *
   * @throws NotMine when another process does it, or only another one has a host for it.
   */
  async answer(record: CallRecord): Promise<void> {
    const { registry, processId, directory, incoming: config } = this.#options;
    const { callId } = record;
    const { incoming, hangUpAtMs } = serviceState(record);
    if (incoming === undefined || !isAnswerDue(record)) return;
    const isAllowed = config.answers === 'all' || config.answers === incoming.scenario;
    const isWanted = isAllowed && hangUpAtMs === undefined;
    const hostId = isWanted ? directory.pickHere() : undefined;
    if (isWanted && hostId === undefined && (await directory.isAnyElsewhere())) {
      await registry.wakeCall(callId);
      throw new NotMine();
    }
    if (!(await registry.tryOwn(answeringKey(callId), processId, ANSWERING_OWNERSHIP_MS)))
      throw new NotMine();
    if (hangUpAtMs !== undefined) return this.#reject(record, 'none', 'hung_up');
    if (!isAllowed) return this.#reject(record, 'forbidden', 'rejected_forbidden');
    if (hostId === undefined || !(await this.#admit(callId))) {
      return this.#reject(record, 'busy', 'rejected_busy');
    }
    return this.#answerOn(hostId, record);
  }

  /** Nobody answered in time: Teams has given the call up. */
  async giveUp({ callId }: CallRecord): Promise<void> {
    const atMs = this.#options.clock.wallclockMs();
    const record = await this.#options.registry.updateCall(callId, (current) =>
      isAnswerDue(current) ? endCall(current, localEnd('not_answered', atMs)) : current,
    );
    if (serviceState(record).end?.atMs === atMs) this.#count('late');
  }

  /** Takes the call's place among those that the app may have; its end gives it back. */
  async #admit(callId: string): Promise<boolean> {
    const { admission, registry } = this.#options;
    try {
      await admission.take(callId, 1);
    } catch (error) {
      if (error instanceof Problem) return false;
      throw error;
    }
    await registry.updateCall(callId, (current) => withService(current, { place: 'held' }));
    return true;
  }

  /** One host after the other is asked for a blob, until one has it. */
  async #answerOn(firstHostId: string, record: CallRecord): Promise<void> {
    const { registry, hostLink, assignments, directory } = this.#options;
    const { callId } = record;
    await this.#countFirst(record);
    const failed = new Set<string>();
    let hostId: string | undefined = firstHostId;
    while (hostId !== undefined) {
      assignments.assign(callId, hostId);
      const media = await this.#allocate(hostId, callId, failed);
      if (this.#options.closing.aborted) {
        if (media !== undefined) hostLink.release(hostId, media.mediaId);
        throw new NotMine();
      }
      if (media !== undefined) return this.#answerWith({ hostId, ...media }, record);
      failed.add(hostId);
      const current = (await registry.readCall(callId)) ?? record;
      if (!isAnswerDue(current)) return;
      const isWanted = serviceState(current).hangUpAtMs === undefined;
      hostId = isWanted ? directory.pickHere(failed) : undefined;
      if (isWanted && hostId === undefined) await this.#handOver(callId, failed);
    }
    return this.#reject(record, 'busy', 'rejected_busy');
  }

  /** @throws NotMine when another process may have a host that can take the call. */
  async #handOver(callId: string, failed: ReadonlySet<string>): Promise<void> {
    const { registry, directory, processId } = this.#options;
    if (!(await directory.isAnyElsewhere(failed))) return;
    await registry.tryOwn(answeringKey(callId), processId, 1);
    await registry.wakeCall(callId);
    throw new NotMine();
  }

  async #answerWith({ hostId, mediaId, blob }: Allocated, record: CallRecord): Promise<void> {
    const { registry, hostLink, clock, log } = this.#options;
    const { callId } = record;
    const sent = await registry.updateCall(callId, (current) =>
      sendAnswer(current, { hostId, mediaId }, clock.wallclockMs()),
    );
    if (serviceState(sent).incoming?.answer !== 'sent' || sent.mediaId !== mediaId) {
      hostLink.release(hostId, mediaId);
      this.#options.assignments.release(callId);
      return;
    }
    await this.#sendAnswer(sent, blob);
    log.info('call answered', { callId, hostId });
  }

  /** Whom the call begins with is one of those that it may record. */
  async #countFirst(record: CallRecord): Promise<void> {
    const { participantCapacity, context } = serviceState(record).incoming ?? {};
    const observed = context?.observedParticipantId ?? context?.sourceParticipantId;
    if (participantCapacity === undefined || observed === undefined) return;
    const party = normalisedId(observed);
    await this.#options.registry.joinRecorded(record.callId, party, participantCapacity);
  }

  /** Undefined when the host fails, or is slow while there is another one to be asked. */
  async #allocate(
    hostId: string,
    callId: string,
    failed: ReadonlySet<string>,
  ): Promise<MediaAllocation | undefined> {
    const { hostLink, directory, assignments, clock, log } = this.#options;
    const asked = hostLink.allocate(hostId, callId);
    const isSlow = new Promise<'slow'>((resolve) => {
      const hasOther = directory.pickHere(new Set([...failed, hostId])) !== undefined;
      if (!hasOther) return;
      const cancel = clock.at(clock.nowMs() + HOST_PATIENCE_MS, () => resolve('slow'));
      asked.finally(cancel).catch(() => {});
    });
    try {
      const media = await Promise.race([asked, isSlow]);
      if (media !== 'slow') return media;
      asked.then(
        ({ mediaId }) => hostLink.release(hostId, mediaId),
        () => {},
      );
      log.warn('media host is too slow for an incoming call', { callId, hostId });
    } catch (error) {
      log.warn('media host could not take an incoming call', { callId, hostId, error });
    }
    assignments.release(callId);
    return undefined;
  }

  /** Whether an answer that failed got there is not known: it is not sent twice. */
  async #sendAnswer(record: CallRecord, blob: string): Promise<void> {
    const { registry, graph, clock, publicUrl } = this.#options;
    const { callId, attemptKey, tenantId } = record;
    const { participantCapacity } = serviceState(record).incoming ?? {};
    const graphCallId = record.model.graphCallId ?? '';
    try {
      await graph.answer(
        { tenantId, graphCallId },
        {
          callbackUri: `${publicUrl()}/v1/callbacks/${attemptKey}`,
          media: { kind: 'appHosted', blob },
          modalities: ['audio'],
          ...(participantCapacity === undefined ? {} : { participantCapacity }),
        },
      );
    } catch (error) {
      return this.#failed(callId, error);
    }
    this.#count('answered');
    const atMs = clock.wallclockMs();
    await registry.updateCall(callId, (current) => answerAccepted(current, atMs));
  }

  async #failed(callId: string, error: unknown): Promise<void> {
    const { registry, clock, log } = this.#options;
    const { end, result, legMayExist, problem } = graphFailure(error);
    log.warn('call not answered', { callId, code: problem.code, error });
    this.#count('failed');
    const atMs = clock.wallclockMs();
    await registry.updateCall(callId, (current) => {
      const known = legMayExist ? current : withService(current, { graph: 'gone' });
      return endCall(known, localEnd(end, atMs, result));
    });
  }

  /** A call that Graph no longer has, or that somebody else dealt with, needs no rejection. */
  async #reject(
    record: CallRecord,
    reason: 'none' | 'busy' | 'forbidden',
    code: LocalEndCode,
  ): Promise<void> {
    const { graph, registry, clock, log } = this.#options;
    const { callId, tenantId, model } = record;
    const graphCallId = model.graphCallId ?? '';
    try {
      await graph.reject({ tenantId, graphCallId }, { reason });
    } catch (error) {
      if (!(error instanceof GraphError) || error.code !== 'graph_refused') throw error;
    }
    log.info('call rejected', { callId, reason });
    const atMs = clock.wallclockMs();
    const ended = await registry.updateCall(callId, (current) =>
      isAnswerDue(current) ? endCall(current, localEnd(causeOf(current, code), atMs)) : current,
    );
    if (serviceState(ended).end?.atMs === atMs) this.#count(reason === 'none' ? 'hungUp' : reason);
  }

  #count(outcome: string): void {
    this.#options.metrics.incomingCalls.add(1, { outcome });
  }
}

function answeringKey(callId: string): string {
  return `answer:${callId}`;
}

/** Whoever hung up meanwhile is to see that. */
function causeOf(record: CallRecord, code: LocalEndCode): LocalEndCode {
  return serviceState(record).hangUpAtMs === undefined ? code : 'hung_up';
}
