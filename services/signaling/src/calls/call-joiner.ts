import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import type { HostLinkServer } from '@earshot/bridge';
import type { GraphCalls } from '@earshot/graph';
import type { CallRecord, Registry } from '@earshot/registry';
import type { Log, Tracer } from '@earshot/telemetry';
import { inSpan } from '@earshot/telemetry';
import type { Admission } from '../admission/admission.js';
import type { SignalingMetrics } from '../metrics.js';
import { Problem } from '../rest/problem.js';
import type { NotMade } from './attempt-changes.js';
import { failAttempt, giveUpAttempt } from './attempt-changes.js';
import { beginAttempt, canBegin, creationOf, ofAttempt } from './attempts.js';
import type { WantedAttempt } from './call-attempt.js';
import { acceptByGraph } from './call-changes.js';
import type { HostDirectory } from './host-directory.js';
import type { HostAssignments } from './host-picker.js';
import { meetingOf } from './meeting-of.js';
import { NotMine } from './not-mine.js';
import { serviceState, withService } from './service-state.js';
import type { StartFailure } from './start-failures.js';
import { graphFailure, hostFailure } from './start-failures.js';

/** What making attempts stands on. */
export interface CallJoinerOptions {
  readonly registry: Registry;
  readonly graph: GraphCalls;
  readonly hostLink: HostLinkServer;
  readonly directory: HostDirectory;
  readonly assignments: HostAssignments;
  readonly admission: Admission;
  readonly metrics: SignalingMetrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracer: Tracer;
  /** Base of callback addresses, without a trailing slash. */
  publicUrl(): string;
  /** Has this process look at the call soon. */
  wake(callId: string): void;
}

/** Makes the attempt that a call's record wants: a host here, its blob, then Graph. */
export class CallJoiner {
  readonly #options: CallJoinerOptions;

  constructor(options: CallJoinerOptions) {
    this.#options = options;
  }

  /**
   * Makes the wanted attempt, if this process has a host for it; its failure is stored in the
   * record, which may want another one then. Safe on several processes at once: one makes it.
   *
   * @throws NotMine when only another process has a host for it.
   */
  async join(record: CallRecord): Promise<void> {
    const { registry, directory, metrics } = this.#options;
    const { callId } = record;
    const state = serviceState(record);
    const wanted = state.attempt?.wanted;
    if (wanted === undefined || !canBegin(state)) return;
    const tried = triedHosts(record, wanted);
    const hostId = directory.pickHere(tried);
    if (hostId === undefined) {
      if (!(await directory.isAnyElsewhere(tried))) return this.giveUp(record, 'no_other_host');
      await registry.wakeCall(callId);
      throw new NotMine();
    }
    if (wanted.end !== undefined && !(await this.#isAdmitted(record))) {
      return this.giveUp(record, 'not_admitted');
    }
    const attemptKey = randomBytes(24).toString('base64url');
    const atMs = this.#options.clock.wallclockMs();
    const begun = await registry.updateCall(callId, (current) =>
      beginAttempt(current, { hostId, attemptKey, atMs }),
    );
    if (begun.attemptKey !== attemptKey) return;
    if (wanted.end === undefined) metrics.callsStarted.add();
    const isMade = await this.#make(begun, hostId);
    const cause = wanted.end?.code;
    if (cause !== undefined) {
      metrics.rejoins.add(1, { cause, outcome: isMade ? 'rejoined' : 'failed' });
    }
    await registry.wakeCall(callId);
  }

  /** Nothing more is tried: the call ends as the attempt before it did. */
  async giveUp(record: CallRecord, why: NotMade): Promise<void> {
    const { registry, metrics, clock, log } = this.#options;
    const { callId } = record;
    const atMs = clock.wallclockMs();
    let cause: string | undefined;
    await registry.updateCall(callId, (current) => {
      const next = giveUpAttempt(current, why, atMs);
      cause = next === current ? undefined : serviceState(current).attempt?.wanted?.end?.code;
      return next;
    });
    if (cause !== undefined) {
      metrics.rejoins.add(1, { cause, outcome: why });
      log.warn('call not joined again', { callId, cause, why });
    }
    await registry.wakeCall(callId);
  }

  /** The blob and the leg of the attempt that has begun; true when Graph accepted it. */
  async #make(record: CallRecord, hostId: string): Promise<boolean> {
    const { registry, hostLink, graph, assignments, clock, log, tracer, publicUrl, wake } =
      this.#options;
    const { callId, attemptKey, joinUrl, tenantId } = record;
    const { traceparent: parent, attempt } = serviceState(record);
    assignments.assign(callId, hostId);
    const media = await this.#orFail(record, hostFailure, () => hostLink.allocate(hostId, callId));
    if (media === undefined) return false;
    const { mediaId, blob } = media;
    const held = await registry.updateCall(callId, (current) =>
      ofAttempt(current, attemptKey, (one) =>
        serviceState(one).end === undefined
          ? withService({ ...one, mediaId }, { hostHeld: true, graph: 'requested' })
          : one,
      ),
    );
    // It was given up meanwhile: the record will never name this session.
    if (held.attemptKey !== attemptKey || serviceState(held).end !== undefined) {
      hostLink.release(hostId, mediaId);
      return false;
    }
    const { target, displayName } = meetingOf(
      { joinUrl, tenantId, displayName: attempt?.displayName },
      undefined,
    );
    const leg = await this.#orFail(record, graphFailure, () =>
      inSpan(tracer, 'graph.createCall', { parent, attributes: { callId } }, () =>
        graph.create({
          target,
          tenantId,
          ...(displayName === undefined ? {} : { displayName }),
          callbackUri: `${publicUrl()}/v1/callbacks/${attemptKey}`,
          media: { kind: 'appHosted', blob },
          scenarioId: randomUUID(),
        }),
      ),
    );
    if (leg === undefined) return false;
    const atMs = clock.wallclockMs();
    await registry.updateCall(callId, (current) =>
      acceptByGraph(current, { ...leg, attemptKey }, atMs),
    );
    log.info('call created', { callId, hostId, attempt: attempt?.number });
    wake(callId);
    return true;
  }

  /** Stores a failure before it is answered, so that nothing of the attempt is left behind. */
  async #orFail<T>(
    { callId, attemptKey }: CallRecord,
    explain: (error: unknown) => StartFailure,
    step: () => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      const failure = await this.#asLimit(explain(error));
      const atMs = this.#options.clock.wallclockMs();
      await this.#options.registry.updateCall(callId, (current) =>
        ofAttempt(current, attemptKey, (one) => failAttempt(one, failure, atMs)),
      );
      const { code } = failure.problem;
      this.#options.log.warn('call not created', { callId, code, error });
      this.#options.wake(callId);
      return undefined;
    }
  }

  /** Graph's limits are the app's: no process may run into them again at once. */
  async #asLimit(failure: StartFailure): Promise<StartFailure> {
    const { problem, result } = failure;
    const isThrottled = problem.code === 'graph_throttled';
    const { retryAfterMs } = problem;
    const limit = await this.#options.admission.learn({ result, isThrottled, retryAfterMs });
    return limit === undefined ? failure : { ...failure, problem: { ...problem, ...limit } };
  }

  async #isAdmitted(record: CallRecord): Promise<boolean> {
    try {
      await this.#options.admission.take(record.callId, creationOf(record));
      return true;
    } catch (error) {
      if (error instanceof Problem) return false;
      throw error;
    }
  }
}

function triedHosts(record: CallRecord, wanted: WantedAttempt): ReadonlySet<string> {
  const { attempt } = serviceState(record);
  const hosts = attempt?.earlier.map(({ hostId }) => hostId) ?? [];
  if (wanted.end !== undefined) hosts.push(record.hostId);
  return new Set(hosts.filter((hostId) => hostId !== undefined));
}
