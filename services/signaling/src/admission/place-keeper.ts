import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';
import type { AdmissionStore, CallRecord, Registry } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import { serviceState } from '../calls/service-state.js';
import type { SignalingMetrics } from '../metrics.js';
import type { Admission } from './admission.js';

/** How often places are compared with calls, by one process at a time. */
const INTERVAL_MS = 30_000;
/** A call without a record by then never came to be: its place was taken by a process that died. */
const UNBEGUN_GRACE_MS = 60_000;

/** What keeping places stands on. */
export interface PlaceKeeperOptions {
  readonly registry: Registry;
  readonly store: AdmissionStore;
  readonly admission: Admission;
  readonly metrics: Pick<SignalingMetrics, 'placesReclaimed'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Names this process among those that share Redis. */
  readonly processId: string;
}

/**
 * Makes places and calls agree again after crashes: drops those of calls that are over or never
 * came to be, and gives calls that Graph counts the places that they ought to have.
 */
export class PlaceKeeper {
  readonly #options: PlaceKeeperOptions;
  #cancel: Cancel | undefined;
  #running: Promise<void> | undefined;

  constructor(options: PlaceKeeperOptions) {
    this.#options = options;
  }

  /** Compares now and from then on. */
  start(): void {
    this.#cancel = every(this.#options.clock, INTERVAL_MS, () => this.#turn());
    this.#turn();
  }

  /** Stops; a comparison under way is waited for. Idempotent. */
  async close(): Promise<void> {
    this.#cancel?.();
    await this.#running;
  }

  #turn(): void {
    this.#running ??= this.#compareOnce()
      .catch((error: unknown) => this.#options.log.warn('places could not be compared', { error }))
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #compareOnce(): Promise<void> {
    const { registry, admission, processId, metrics, log } = this.#options;
    await admission.standing();
    if (!(await registry.tryOwn('admission', processId, INTERVAL_MS / 2))) return;
    const dropped = await reconcilePlaces(this.#options);
    if (dropped === 0) return;
    metrics.placesReclaimed.add(dropped);
    log.warn('places of calls that are over were taken back', { dropped });
  }
}

/**
 * One comparison. Safe at any time and on several pods at once: a place that is asked for again
 * meanwhile is not dropped.
 *
 * @param unbegunGraceMs how old a place without a record must be.
 * @returns how many places were dropped.
 */
export async function reconcilePlaces(
  { registry, store }: Pick<PlaceKeeperOptions, 'registry' | 'store'>,
  unbegunGraceMs: number = UNBEGUN_GRACE_MS,
): Promise<number> {
  const places = await store.places();
  const held = new Set(places.map(({ callId }) => callId));
  let dropped = 0;
  for (const place of places) {
    const record = await registry.readCall(place.callId);
    if (record === undefined ? place.ageMs < unbegunGraceMs : needsPlace(record)) continue;
    const isUnused = record === undefined || serviceState(record).graph === 'none';
    if (await store.drop(place, { isUnused })) dropped += 1;
  }
  for (const callId of await registry.openCalls()) {
    if (held.has(callId)) continue;
    const record = await registry.readCall(callId);
    // One that Graph was not asked for yet asks for its place itself, and may be refused it.
    const isInGraph = record !== undefined && serviceState(record).graph !== 'none';
    if (isInGraph && needsPlace(record)) await store.adopt(callId);
  }
  return dropped;
}

function needsPlace(record: CallRecord): boolean {
  return record.endedAtMs === undefined && serviceState(record).place === 'held';
}
