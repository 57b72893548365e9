import type { Clock } from '@earshot/async';
import type { Limits, Rate } from '../scenario/scenario.js';
import { GraphFault } from './graph-fault.js';

/** Calls of an app at once, and in a month (Graph: throttling limits). */
const ACTIVE_CALLS = 100;
const CALLS_PER_MONTH = 10_000;

/** Counts what the app asks for, and refuses what is too much. */
export class GraphLimits {
  readonly #clock: Clock;
  readonly #limits: () => Limits;
  #month = '';
  #callsThisMonth = 0;
  #creations: number[] = [];
  #requests: number[] = [];

  /** @param limits Those of the scenarios at the moment. */
  constructor(clock: Clock, limits: () => Limits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** @throws GraphFault 429 */
  admitRequest(): void {
    const { requests } = this.#limits();
    if (requests === undefined) return;
    const waitS = this.#admit(this.#requests, requests);
    if (waitS === undefined) return;
    throw new GraphFault(429, 'TooManyRequests', 'Too many requests.', waitS);
  }

  /** @throws GraphFault 429/8516, 403/8529, 403/8530 */
  admitCall(activeCalls: number): void {
    const limits = this.#limits();
    const waitS =
      limits.creations === undefined ? undefined : this.#admit(this.#creations, limits.creations);
    if (waitS !== undefined) throw new GraphFault(429, '8516', 'Calls are throttled.', waitS);
    if (activeCalls >= (limits.activeCalls ?? ACTIVE_CALLS)) {
      throw new GraphFault(403, '8530', 'The limit of active calls has been reached.');
    }
    const month = new Date(this.#clock.wallclockMs()).toISOString().slice(0, 7);
    if (month !== this.#month) this.#callsThisMonth = 0;
    this.#month = month;
    if (this.#callsThisMonth >= (limits.callsPerMonth ?? CALLS_PER_MONTH)) {
      throw new GraphFault(403, '8529', 'The monthly limit of calls has been reached.');
    }
    this.#callsThisMonth += 1;
  }

  /** Seconds to wait; undefined when there is room, of which one is taken. */
  #admit(times: number[], { count, perMs }: Rate): number | undefined {
    const nowMs = this.#clock.nowMs();
    while ((times[0] ?? nowMs) <= nowMs - perMs) times.shift();
    const oldestMs = times[0];
    if (times.length < count || oldestMs === undefined) {
      times.push(nowMs);
      return undefined;
    }
    return Math.max(1, Math.ceil((oldestMs + perMs - nowMs) / 1_000));
  }
}
