import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import { initialCallModel } from '@earshot/call';
import type { ListeningChange, ListeningSettings } from '@earshot/listening';
import { withListeningChange } from '@earshot/listening';
import type { CallRecord, Registry } from '@earshot/registry';
import type { Admission } from '../admission/admission.js';
import type { AutoLeaveBody } from '../rest/auto-leave-schemas.js';
import { limitsOf } from '../rest/auto-leave-schemas.js';
import { Problem } from '../rest/problem.js';
import { canBegin, firstAttempt, withProblem } from './attempts.js';
import { endForGood } from './call-changes.js';
import type { CallDriver } from './call-driver.js';
import { localEnd } from './call-end.js';
import type { CallJoiner } from './call-joiner.js';
import type { HostDirectory } from './host-directory.js';
import type { Meeting, MeetingNames } from './meeting-of.js';
import { meetingOf } from './meeting-of.js';
import { NotMine } from './not-mine.js';
import type { ServiceState } from './service-state.js';
import { serviceState, withService } from './service-state.js';
import { NO_MEDIA_HOST, requestProblem, START_TIMEOUT } from './start-failures.js';
import type { StartedCalls } from './started-calls.js';
import type { AutoLeaveLimits } from './stay-state.js';

/** How long a request waits for a call that another process starts. */
export const START_PATIENCE_MS = 30_000;

/** What starting a call stands on. */
export interface CallStarterOptions {
  readonly registry: Registry;
  readonly directory: HostDirectory;
  readonly joiner: CallJoiner;
  readonly started: StartedCalls;
  readonly admission: Admission;
  readonly driver: CallDriver;
  readonly clock: Clock;
  /** Tenant of meetings whose URL doesn't name one. */
  readonly defaultTenantId: string | undefined;
  /** Whether a call that fails is tried once more on another host. */
  readonly rejoin: 'once' | 'never';
  /** When bots leave by themselves, where a request does not say otherwise. */
  readonly autoLeave: AutoLeaveLimits;
  /** What is listened for, where a request does not say otherwise. */
  readonly listening: ListeningSettings;
}

/** A wish to join a meeting. */
export interface StartRequest extends MeetingNames {
  readonly idempotencyKey?: string | undefined;
  readonly autoLeave?: AutoLeaveBody | undefined;
  readonly listening?: ListeningChange | undefined;
  /** Of the request's span: the call's trace goes on from it. */
  readonly traceparent?: string | undefined;
}

/**
 * Joins a meeting: a place among the app's calls, then a media host's blob, then Graph. What fails
 * so that another host might do better is tried once more; on failure nothing is left half-started.
 */
export class CallStarter {
  readonly #options: CallStarterOptions;

  constructor(options: CallStarterOptions) {
    this.#options = options;
  }

  /**
   * The call's record once Graph has accepted it, whichever process has its host. With an
   * idempotency key, a repeated request gets the first one's call, or its failure.
   *
   * @throws Problem for every refusal; the call, if one was made, has then ended.
   */
  async start(request: StartRequest): Promise<CallRecord> {
    const { registry, directory, admission } = this.#options;
    const meeting = meetingOf(request, this.#options.defaultTenantId);
    const callId = await this.#idOf(request);
    const earlier = await registry.readCall(callId);
    if (earlier !== undefined) return repeat(earlier, meeting);

    const hasHost = directory.pickHere() !== undefined || (await directory.isAnyElsewhere());
    if (!hasHost) throw new Problem(NO_MEDIA_HOST);
    await admission.take(callId, 1);
    // Before there is a call that a worker could hear; another one's with the same key is as good.
    await registry.setListening(callId, {}, this.#listeningOf(request));
    await createOnce(registry, this.#newRecord(callId, request, meeting));
    await this.#confirmPlace(callId);
    await this.#joinHere(callId);
    return this.#outcome(callId);
  }

  /** A key always leads to the same id, even when the request that claimed it died. */
  #idOf({ idempotencyKey }: StartRequest): Promise<string> {
    const fresh = `c_${randomBytes(18).toString('base64url')}`;
    if (idempotencyKey === undefined) return Promise.resolve(fresh);
    const key = createHash('sha256').update(idempotencyKey).digest('base64url');
    return this.#options.registry.idempotent(key, fresh);
  }

  #listeningOf({ listening }: StartRequest): ListeningSettings {
    return withListeningChange(this.#options.listening, listening ?? {});
  }

  #newRecord(callId: string, request: StartRequest, meeting: Meeting): CallRecord {
    const { clock, rejoin } = this.#options;
    const atMs = clock.wallclockMs();
    const { displayName } = meeting;
    const service: ServiceState = {
      joinUrlHost: URL.canParse(meeting.joinUrl) ? new URL(meeting.joinUrl).host : '',
      graph: 'none',
      hostHeld: false,
      place: 'held',
      attempt: firstAttempt(atMs, { mayRepeat: rejoin === 'once', displayName }),
      autoLeave: { limits: limitsOf(this.#options.autoLeave, request.autoLeave) },
      traceparent: request.traceparent,
      pendingEvents: [],
    };
    return {
      callId,
      version: 0,
      createdAtMs: atMs,
      joinUrl: meeting.joinUrl,
      tenantId: meeting.tenantId,
      attemptKey: randomBytes(24).toString('base64url'),
      model: initialCallModel,
      signalingPosition: 0,
      service,
    };
  }

  /** The place may have been dropped before there was a record to say whose it is. */
  async #confirmPlace(callId: string): Promise<void> {
    const { admission, registry, driver, clock } = this.#options;
    try {
      await admission.take(callId, 1);
    } catch (error) {
      if (error instanceof Problem) {
        const end = localEnd('graph_unavailable', clock.wallclockMs());
        await registry.updateCall(callId, (current) =>
          withService(endForGood(current, end), { place: 'free', problem: problemOf(error) }),
        );
        await driver.drive(callId);
      }
      throw error;
    }
  }

  /** Makes the attempts that the call wants, as long as this process has a host for them. */
  async #joinHere(callId: string): Promise<void> {
    const { registry, joiner } = this.#options;
    for (;;) {
      const record = await registry.readCall(callId);
      if (record === undefined || !canBegin(serviceState(record))) return;
      try {
        await joiner.join(record);
      } catch (error) {
        if (error instanceof NotMine) return;
        throw error;
      }
    }
  }

  async #outcome(callId: string): Promise<CallRecord> {
    const { started, driver } = this.#options;
    const settled = await started.until(callId, isSettled, START_PATIENCE_MS);
    const record = settled ?? (await this.#giveUp(callId));
    const { problem } = serviceState(record);
    if (problem === undefined) return record;
    await driver.drive(callId);
    throw new Problem(problem);
  }

  /** The process that has the host died, or hangs: nobody waits for it any longer. */
  #giveUp(callId: string): Promise<CallRecord> {
    const { registry, clock } = this.#options;
    const end = localEnd('host_timeout', clock.wallclockMs());
    return registry.updateCall(callId, (current) =>
      isSettled(current) ? current : withProblem(endForGood(current, end), START_TIMEOUT, true),
    );
  }
}

/** Graph has accepted the call, or nothing more is tried. */
function isSettled(record: CallRecord): boolean {
  const { end, keptAliveAtMs } = serviceState(record);
  return end !== undefined || keptAliveAtMs !== undefined;
}

function problemOf({ status, code, title, message: detail, fix, retryAfterMs }: Problem) {
  return { status, code, title, detail, fix, retryAfterMs };
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
  const { problem } = serviceState(record);
  if (problem !== undefined) throw new Problem(problem);
  if (!isSettled(record)) throw new Problem(IN_PROGRESS);
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
