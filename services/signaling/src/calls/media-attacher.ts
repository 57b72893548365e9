import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { HostLinkServer } from '@earshot/bridge';
import type { MediaTokens } from '@earshot/media-token';
import type { CallRecord, Placement, Registry } from '@earshot/registry';
import type { Log, Span, Tracer } from '@earshot/telemetry';
import { inSpan } from '@earshot/telemetry';
import type { SignalingMetrics } from '../metrics.js';
import { ofAttempt } from './attempts.js';
import {
  blameWorker,
  confirmAttached,
  endSession,
  exclusionsOf,
  isWanted,
  placeAnew,
} from './media-changes.js';
import type { MediaStates } from './media-states.js';
import { serviceState } from './service-state.js';

/** What attaching stands on. */
export interface MediaAttacherOptions {
  readonly registry: Registry;
  readonly hostLink: HostLinkServer;
  readonly mediaTokens: MediaTokens;
  readonly mediaStates: MediaStates;
  readonly metrics: SignalingMetrics;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracer: Tracer;
}

/** A media session, and the host that has it. */
interface Media {
  readonly hostId: string;
  readonly mediaId: string;
}

/** The session is over: no worker can have its audio. */
const SESSION_OVER: ReadonlySet<string> = new Set(['media_ended', 'media_not_found']);
/** Refusals that tell nothing of the worker. */
const NOT_THE_WORKERS_FAULT: ReadonlySet<string> = new Set(['busy', 'stale_epoch']);

/** Has a call's audio sent to a worker: the first one, or another one than before. */
export class MediaAttacher {
  readonly #options: MediaAttacherOptions;

  constructor(options: MediaAttacherOptions) {
    this.#options = options;
  }

  /**
   * Places the call and has its host attach. Each try is a placement of its own, so that a process
   * that dies at any step leaves nothing that the next could not go over.
   *
   * @throws CodedError `no_media_worker`, or what the host answered; to be tried again.
   */
  async attach(record: CallRecord): Promise<void> {
    const { callId, hostId, mediaId } = record;
    if (hostId === undefined || mediaId === undefined) return;
    const { traceparent: parent, move } = serviceState(record);
    const attributes = { callId, ...(move === undefined ? {} : { cause: move.cause }) };
    await inSpan(this.#options.tracer, 'call.attach', { parent, attributes }, (span) =>
      this.#attach(record, { hostId, mediaId }, span),
    );
  }

  async #attach(record: CallRecord, media: Media, span: Span): Promise<void> {
    const { mediaTokens, hostLink, registry, clock } = this.#options;
    const { callId, attemptKey } = record;
    const placement = await this.#place(record);
    const { move } = serviceState(record);
    if (move !== undefined) {
      const atMs = clock.wallclockMs();
      const placed = await registry.updateCall(callId, (current) =>
        ofAttempt(current, attemptKey, (one) => placeAnew(one, placement, move, atMs)),
      );
      if (!isWanted(placed, placement)) return;
    }
    const { workerId, url, epoch } = placement;
    span.set({ epoch });
    const { traceparent } = span;
    const token = await mediaTokens.mint({ callId, workerId, epoch });
    try {
      await hostLink.attach(media.hostId, {
        mediaId: media.mediaId,
        callId,
        workerUrl: url,
        token,
        epoch,
        ...(traceparent === undefined ? {} : { traceparent }),
      });
    } catch (error) {
      return this.#failed(record, workerId, error);
    }
    await this.#confirm(record, media, placement);
  }

  /** Prefers workers that have not failed this call, but a failed one to none. */
  async #place(record: CallRecord): Promise<Placement> {
    const { registry, metrics, clock } = this.#options;
    const placedEpoch = serviceState(record).move?.placedEpoch ?? 0;
    const aboveEpoch = Math.max(record.epoch ?? 0, placedEpoch);
    for (const excludeWorkers of exclusionsOf(record, clock.wallclockMs())) {
      const placement = await registry.placeCall(record.callId, { excludeWorkers, aboveEpoch });
      if (placement !== undefined) return placement;
    }
    metrics.unplaced.add();
    throw new CodedError(
      'no_media_worker',
      'Cannot attach the audio: a media worker must be running and not draining, got none',
      { fix: 'Start a media worker with the same REDIS_URL and EARSHOT_BRIDGE_KEY.' },
    );
  }

  async #confirm(
    { callId, attemptKey }: CallRecord,
    media: Media,
    placement: Placement,
  ): Promise<void> {
    const { registry, mediaStates, metrics, clock, log } = this.#options;
    const atMs = clock.wallclockMs();
    let cause: string | undefined;
    await mediaStates.inOrder(media, () =>
      registry.updateCall(callId, (current) => {
        const next = ofAttempt(current, attemptKey, (one) => confirmAttached(one, placement, atMs));
        cause = next === current ? undefined : serviceState(current).move?.cause;
        return next;
      }),
    );
    const { workerId, epoch } = placement;
    if (cause !== undefined) metrics.reattachments.add(1, { cause });
    log.info('audio attached', { callId, hostId: media.hostId, workerId, epoch, cause });
  }

  /** Has the call end when its session is over; else has the duty tried again, elsewhere if it can. */
  async #failed(
    { callId, attemptKey }: CallRecord,
    workerId: string,
    error: unknown,
  ): Promise<void> {
    const { registry, clock } = this.#options;
    const atMs = clock.wallclockMs();
    const refusal = refusalOf(error);
    if (refusal !== undefined && SESSION_OVER.has(refusal)) {
      await registry.updateCall(callId, (current) =>
        ofAttempt(current, attemptKey, (one) => endSession(one, atMs)),
      );
      return;
    }
    const isHostAway = error instanceof CodedError && error.code === 'host_unavailable';
    if (!isHostAway && !NOT_THE_WORKERS_FAULT.has(refusal ?? '')) {
      await registry.updateCall(callId, (current) => blameWorker(current, workerId, atMs));
    }
    throw error;
  }
}

/** The code of a host's refusal, which the host link gives at the end of its message only. */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof CodedError) || error.code !== 'host_refused') return undefined;
  return /, got (\S+)$/.exec(error.message)?.[1];
}
