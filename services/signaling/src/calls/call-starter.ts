import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { HostLinkServer } from '@earshot/bridge';
import { initialCallModel } from '@earshot/call';
import type { GraphCalls } from '@earshot/graph';
import type { CallRecord, Registry } from '@earshot/registry';
import type { Log, Tracer } from '@earshot/telemetry';
import { inSpan } from '@earshot/telemetry';
import type { SignalingMetrics } from '../metrics.js';
import { Problem } from '../rest/problem.js';
import { acceptByGraph, endCall } from './call-changes.js';
import type { CallDriver } from './call-driver.js';
import { localEnd } from './call-end.js';
import type { HostAssignments } from './host-picker.js';
import { pickHost } from './host-picker.js';
import type { Meeting, MeetingNames } from './meeting-of.js';
import { meetingOf } from './meeting-of.js';
import type { ServiceState } from './service-state.js';
import { serviceState, withService } from './service-state.js';
import type { StartFailure } from './start-failures.js';
import { graphFailure, hostFailure, NO_MEDIA_HOST, requestProblem } from './start-failures.js';

/** What starting a call stands on. */
export interface CallStarterOptions {
  readonly registry: Registry;
  readonly graph: GraphCalls;
  readonly hostLink: HostLinkServer;
  readonly assignments: HostAssignments;
  readonly driver: CallDriver;
  readonly metrics: SignalingMetrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracer: Tracer;
  /** Tenant of meetings whose URL doesn't name one. */
  readonly defaultTenantId: string | undefined;
  /** Base of callback addresses, without a trailing slash. */
  publicUrl(): string;
}

/** A wish to join a meeting. */
export interface StartRequest extends MeetingNames {
  readonly idempotencyKey?: string | undefined;
  /** Of the request's span: the call's trace goes on from it. */
  readonly traceparent?: string | undefined;
}

/** Joins a meeting: blob from a media host, then Graph; on failure nothing is left half-started. */
export class CallStarter {
  readonly #options: CallStarterOptions;

  constructor(options: CallStarterOptions) {
    this.#options = options;
  }

  /**
   * The call's record once Graph has accepted it. With an idempotency key, a repeated request
   * gets the first one's call, or its failure.
   *
   * @throws Problem for every refusal; the call, if one was made, has then ended.
   */
  async start(request: StartRequest): Promise<CallRecord> {
    const { registry, hostLink, assignments, metrics, log } = this.#options;
    const meeting = meetingOf(request, this.#options.defaultTenantId);
    const callId = await this.#idOf(request);
    const earlier = await registry.readCall(callId);
    if (earlier !== undefined) return repeat(earlier, meeting);

    const host = pickHost(hostLink.hosts(), (hostId) => assignments.countOf(hostId));
    if (host === undefined) throw new Problem(NO_MEDIA_HOST);
    const record = this.#newRecord(callId, request, meeting, host.hostId);
    await createOnce(registry, record);
    metrics.callsStarted.add();
    assignments.assign(callId, host.hostId);
    const started = await this.#join(record, meeting, host.hostId);
    log.info('call created', { callId, hostId: host.hostId });
    return started;
  }

  /** A key always leads to the same id, even when the request that claimed it died. */
  #idOf({ idempotencyKey }: StartRequest): Promise<string> {
    const fresh = `c_${randomBytes(18).toString('base64url')}`;
    if (idempotencyKey === undefined) return Promise.resolve(fresh);
    const key = createHash('sha256').update(idempotencyKey).digest('base64url');
    return this.#options.registry.idempotent(key, fresh);
  }

  #newRecord(callId: string, request: StartRequest, meeting: Meeting, hostId: string): CallRecord {
    const service: ServiceState = {
      joinUrlHost: URL.canParse(meeting.joinUrl) ? new URL(meeting.joinUrl).host : '',
      graph: 'none',
      hostHeld: false,
      traceparent: request.traceparent,
      pendingEvents: [],
    };
    return {
      callId,
      version: 0,
      createdAtMs: this.#options.clock.wallclockMs(),
      joinUrl: meeting.joinUrl,
      tenantId: meeting.tenantId,
      hostId,
      attemptKey: randomBytes(24).toString('base64url'),
      model: initialCallModel,
      signalingPosition: 0,
      service,
    };
  }

  async #join(record: CallRecord, meeting: Meeting, hostId: string): Promise<CallRecord> {
    const { registry, hostLink, graph, clock, driver, tracer, publicUrl } = this.#options;
    const { callId } = record;
    const { traceparent: parent } = serviceState(record);
    const media = await this.#orFail(callId, hostFailure, () => hostLink.allocate(hostId, callId));
    await registry.updateCall(callId, (current) =>
      withService({ ...current, mediaId: media.mediaId }, { hostHeld: true, graph: 'requested' }),
    );
    const leg = await this.#orFail(callId, graphFailure, () =>
      inSpan(tracer, 'graph.createCall', { parent, attributes: { callId } }, () =>
        graph.create({
          target: meeting.target,
          tenantId: meeting.tenantId,
          ...(meeting.displayName === undefined ? {} : { displayName: meeting.displayName }),
          callbackUri: `${publicUrl()}/v1/callbacks/${record.attemptKey}`,
          media: { kind: 'appHosted', blob: media.blob },
          scenarioId: randomUUID(),
        }),
      ),
    );
    const atMs = clock.wallclockMs();
    const accepted = await registry.updateCall(callId, (c) => acceptByGraph(c, leg, atMs));
    driver.wake(callId);
    return accepted;
  }

  /** Ends the call before the failure is answered, so that nothing of it is left behind. */
  async #orFail<T>(
    callId: string,
    explain: (error: unknown) => StartFailure,
    step: () => Promise<T>,
  ): Promise<T> {
    try {
      return await step();
    } catch (error) {
      const failure = explain(error);
      await this.#fail(callId, failure);
      this.#options.log.warn('call not created', { callId, code: failure.problem.code, error });
      throw new Problem(failure.problem);
    }
  }

  async #fail(callId: string, { end, result, legMayExist, problem }: StartFailure): Promise<void> {
    const { registry, clock, driver } = this.#options;
    const ending = localEnd(end, clock.wallclockMs(), result);
    await registry.updateCall(callId, (current) => {
      const { graph } = serviceState(current);
      const leg = graph === 'requested' && !legMayExist ? 'gone' : graph;
      return withService(endCall(current, ending), { problem, graph: leg });
    });
    await driver.drive(callId);
  }
}

async function createOnce(registry: Registry, record: CallRecord): Promise<void> {
  try {
    await registry.createCall(record);
  } catch (error) {
    if (error instanceof CodedError && error.code === 'call_exists') throw new Problem(IN_PROGRESS);
    throw error;
  }
}

/** The answer to a request whose key was used before. */
function repeat(record: CallRecord, { joinUrl }: Meeting): CallRecord {
  if (record.joinUrl !== joinUrl) {
    throw new Problem(
      requestProblem(
        'idempotency_key_reused',
        'an Idempotency-Key must stand for one request, got it with another join URL',
        'Send a new key with each new request.',
      ),
    );
  }
  const { problem, graph, end } = serviceState(record);
  if (problem !== undefined) throw new Problem(problem);
  const inProgress = end === undefined && (graph === 'none' || graph === 'requested');
  if (inProgress) throw new Problem(IN_PROGRESS);
  return record;
}

const IN_PROGRESS = {
  status: 409,
  code: 'request_in_progress',
  title: 'Still in progress',
  detail:
    'Cannot repeat the request: the first one with this Idempotency-Key must be answered first',
  retryAfterMs: 1_000,
} as const;
