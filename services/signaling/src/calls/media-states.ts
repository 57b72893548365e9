import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { HostMediaState } from '@earshot/bridge';
import type { Registry } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import type { MediaCalls, MediaSessionName } from './media-calls.js';
import { applyMediaState } from './media-changes.js';

/** States of one session that wait for Redis; beyond, the oldest is dropped: the last one counts. */
const MAX_WAITING = 32;
/** Sessions whose states wait at once; beyond, those of others are dropped: hosts repeat them (H-15). */
const MAX_LANES = 10_000;
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
  /** Kept for the step that follows from an `attached`, which comes a moment after it. */
  place: Place | undefined;
}

/** A place in a lane: its step may begin after `before`, and is over when `done` is called. */
interface Place {
  readonly before: Promise<unknown>;
  done(): void;
}

interface ToldAt extends HostMediaState {
  readonly atMs: number;
}

/**
 * Folds what media hosts say of calls' audio into the calls' records, in the order in which each
 * host said it: what follows from an `attached` keeps its place among them.
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
    if (this.#lanes.size >= MAX_LANES && !this.#lanes.has(keyOf(state))) {
      log.warn('media state dropped: too many wait', { hostId, waiting: MAX_LANES });
      return;
    }
    this.#queue({ ...state, atMs: clock.wallclockMs() });
  }

  /** A host said `attached`: the next `inOrder` of the session takes this place among its states. */
  attached(media: MediaSessionName): void {
    const lane = this.#laneOf(media);
    lane.place?.done();
    const before = lane.last;
    const over = new Promise<void>((resolve) => {
      lane.place = { before, done: resolve };
    });
    this.#append(media, lane, over);
    const { place } = lane;
    // Whoever asked is told within this turn; where nobody takes the place it must hold up nothing.
    setImmediate(() => {
      if (lane.place === place) this.#takePlace(lane)?.done();
    });
  }

  /** Runs a step after what the host said of the session before its last `attached`, or so far. */
  inOrder<T>(media: MediaSessionName, step: () => Promise<T>): Promise<T> {
    const lane = this.#laneOf(media);
    const place = this.#takePlace(lane);
    const done = (place?.before ?? lane.last).then(step);
    if (place === undefined) this.#append(media, lane, done);
    else done.then(place.done, place.done);
    return done;
  }

  #takePlace(lane: Lane): Place | undefined {
    const { place } = lane;
    lane.place = undefined;
    return place;
  }

  #append(media: MediaSessionName, lane: Lane, step: Promise<unknown>): void {
    lane.steps += 1;
    lane.last = step
      .catch(() => {})
      .then(() => {
        lane.steps -= 1;
        if (lane.steps === 0) this.#lanes.delete(keyOf(media));
      });
  }

  /** Takes nothing more; resolves when what was taken stands in the records. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#resume();
    await Promise.all(Array.from(this.#lanes.values(), ({ last }) => last));
  }

  #queue(state: ToldAt): void {
    if (this.#closed) return;
    const lane = this.#laneOf(state);
    const { states } = lane;
    states.push(state);
    if (states.length > MAX_WAITING) {
      states.shift();
      return;
    }
    const folded = lane.last.then(() => this.#foldNext(states));
    folded.catch((error: unknown) => {
      const { hostId, mediaId } = state;
      this.#options.log.error('media state lost', { hostId, mediaId, error });
    });
    this.#append(state, lane, folded);
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
      if (record.hostId !== state.hostId || record.mediaId !== state.mediaId) return record;
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
      lane = { states: [], steps: 0, last: Promise.resolve(), place: undefined };
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
