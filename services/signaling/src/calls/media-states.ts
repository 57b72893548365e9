import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { HostMediaState } from '@earshot/bridge';
import type { Registry } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import type { MediaCalls, MediaSessionName } from './media-calls.js';
import { applyMediaState } from './media-changes.js';

/** States of one session that wait for Redis; beyond, the oldest is dropped: the last one counts. */
const MAX_WAITING = 32;
/** How often Redis is asked again while it is away: a host says `failed` once. */
const RETRY_MS = 1_000;

/** What the states of media sessions are folded into. */
export interface MediaStatesOptions {
  readonly registry: Registry;
  readonly mediaCalls: MediaCalls;
  readonly clock: Clock;
  readonly log: Log;
  /** The call's record may ask for something to be done. */
  wake(callId: string): void;
}

/** What a host said of one session and is not in the call's record yet. */
interface Lane {
  readonly states: ToldAt[];
  /** Steps that have not ended. */
  steps: number;
  last: Promise<unknown>;
}

interface ToldAt extends HostMediaState {
  readonly atMs: number;
}

/**
 * Folds what media hosts say of calls' audio into the calls' records, in the order in which each
 * host said it: `attached` takes its place among the states by `inOrder`.
 */
export class MediaStates {
  readonly #options: MediaStatesOptions;
  readonly #lanes = new Map<string, Lane>();
  /** One wait for all that Redis keeps waiting. */
  #pausing: Promise<void> | undefined;
  #resume: () => void = () => {};
  #closed = false;

  constructor(options: MediaStatesOptions) {
    this.#options = options;
  }

  /** Takes what a host said. */
  told(state: HostMediaState): void {
    const { clock, log } = this.#options;
    const { hostId, mediaId, detail } = state;
    log.info('media state', { hostId, mediaId, state: state.state, detail });
    if (state.state === 'ended') return;
    const toldAt = { ...state, atMs: clock.wallclockMs() };
    // Whoever waits for an `attached` that came just before runs first, and takes its place.
    setImmediate(() => this.#queue(toldAt));
  }

  /** Runs a step after all that the host has said of the session so far. */
  inOrder<T>(media: MediaSessionName, step: () => Promise<T>): Promise<T> {
    const lane = this.#laneOf(media);
    lane.steps += 1;
    const done = lane.last.then(step);
    lane.last = done
      .catch(() => {})
      .then(() => {
        lane.steps -= 1;
        if (lane.steps === 0) this.#lanes.delete(keyOf(media));
      });
    return done;
  }

  /** Takes nothing more; resolves when what was taken stands in the records. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#resume();
    await Promise.all(Array.from(this.#lanes.values(), ({ last }) => last));
  }

  #queue(state: ToldAt): void {
    if (this.#closed) return;
    const { states } = this.#laneOf(state);
    states.push(state);
    if (states.length > MAX_WAITING) {
      states.shift();
      return;
    }
    this.inOrder(state, () => this.#foldNext(states)).catch((error: unknown) => {
      const { hostId, mediaId } = state;
      this.#options.log.error('media state lost', { hostId, mediaId, error });
    });
  }

  async #foldNext(states: ToldAt[]): Promise<void> {
    const state = states.shift();
    if (state === undefined) return;
    for (;;) {
      try {
        return await this.#fold(state);
      } catch (error) {
        if (!isRedisAway(error) || this.#closed) throw error;
        await this.#pause();
      }
    }
  }

  async #fold(state: ToldAt): Promise<void> {
    const { registry, mediaCalls, wake } = this.#options;
    const callId = await mediaCalls.find(state);
    if (callId === undefined) return;
    const isWorkerGone = state.detail === 'link_interrupted' && (await this.#isWorkerGone(callId));
    const telling = { atMs: state.atMs, isWorkerGone };
    let isChanged = false;
    await registry.updateCall(callId, (record) => {
      const next = applyMediaState(record, state, telling);
      isChanged = next !== record;
      return next;
    });
    if (isChanged) wake(callId);
  }

  /** Its heartbeat is missing: there is nothing to wait for. */
  async #isWorkerGone(callId: string): Promise<boolean> {
    const { registry } = this.#options;
    const [record, workers] = await Promise.all([registry.readCall(callId), registry.workers()]);
    return workers.every(({ workerId }) => workerId !== record?.workerId);
  }

  #pause(): Promise<void> {
    const { clock } = this.#options;
    this.#pausing ??= new Promise((resolve) => {
      const cancel = clock.at(clock.nowMs() + RETRY_MS, () => this.#resume());
      this.#resume = () => {
        cancel();
        this.#pausing = undefined;
        resolve();
      };
    });
    return this.#pausing;
  }

  #laneOf(media: MediaSessionName): Lane {
    const key = keyOf(media);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { states: [], steps: 0, last: Promise.resolve() };
      this.#lanes.set(key, lane);
    }
    return lane;
  }
}

function isRedisAway(error: unknown): boolean {
  return error instanceof CodedError && error.code === 'redis_unreachable';
}

function keyOf({ hostId, mediaId }: MediaSessionName): string {
  return `${hostId} ${mediaId}`;
}
