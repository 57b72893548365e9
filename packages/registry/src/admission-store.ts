import { ADOPT, CLOSE_MONTH, GIVE_BACK, PAUSE, PLACES, READ, TAKE } from './admission-script.js';
import type { Keys } from './keys.js';
import type { RedisConnection } from './redis-connection.js';

/** How many calls an app may have at once and make in a calendar month (UTC). */
export interface AdmissionLimits {
  readonly calls: number;
  readonly callsPerMonth: number;
}

/** Why no call is made for a while although there may be places. */
export const PAUSE_CAUSES = ['throttled', 'too_many_calls'] as const;

/** One of `PAUSE_CAUSES`: Graph asked to wait, or counts more calls than we do. */
export type PauseCause = (typeof PAUSE_CAUSES)[number];

/** What all pods together have used, by Redis' clock. */
export interface AdmissionStanding {
  /** Places taken. */
  readonly calls: number;
  /** Creations of this month. */
  readonly callsThisMonth: number;
  /** `YYYY-MM`. */
  readonly month: string;
  /** Graph itself said that the month is used up. */
  readonly monthClosed: boolean;
  /** When the next month begins, Unix ms. */
  readonly monthEndsAtMs: number;
  /** Unix ms. */
  readonly nowMs: number;
  readonly pause?: { readonly untilMs: number; readonly cause: PauseCause };
  /** How far apart places became free lately; 0 while nobody can tell. */
  readonly freeEveryMs: number;
}

export type AdmissionOutcome = 'ok' | 'monthly_limit_reached' | 'paused' | 'too_many_calls';

/** A place as it was read; it can be dropped only while nobody has said anew that it is needed. */
export interface Place {
  readonly callId: string;
  /** How long ago its call was said to need it. */
  readonly ageMs: number;
  readonly mark: string;
}

export interface GiveBackOptions {
  /** The last creation never came to Graph: it does not count for the month. */
  readonly isUnused?: boolean;
}

/**
 * The calls that one app has, and has made this month, counted for all pods: Graph's limits are
 * the app's, not a pod's.
 */
export class AdmissionStore {
  readonly #redis: RedisConnection;
  readonly #keys: readonly string[];

  /** @param appId whose limits these are, such as the client id. */
  constructor(redis: RedisConnection, keys: Keys, appId: string) {
    this.#redis = redis;
    this.#keys = [
      keys.admissionPlaces(appId),
      keys.admissionMonths(appId),
      keys.admissionState(appId),
    ];
  }

  /**
   * Takes a place for a call and counts a creation, or neither. Idempotent by call and creation: a
   * call that has a place keeps it, and each of its creations is counted once.
   *
   * @param creation 1 for the call's first creation in Graph, 2 for the next, …
   */
  async take(
    callId: string,
    creation: number,
    { calls, callsPerMonth }: AdmissionLimits,
  ): Promise<{ outcome: AdmissionOutcome; standing: AdmissionStanding }> {
    const args = [callId, creation, calls, callsPerMonth];
    const reply = await this.#redis.run((client) => TAKE.run(client, this.#keys, args));
    const [outcome] = Array.isArray(reply) ? reply : [];
    return { outcome: outcomeOf(outcome), standing: standingOf(reply) };
  }

  /** Gives a call's place back; false when it had none. */
  async giveBack(callId: string, { isUnused = false }: GiveBackOptions = {}): Promise<boolean> {
    return this.#give(callId, isUnused, '');
  }

  /** Drops a place that nobody needs; false when somebody said meanwhile that the call does. */
  async drop(
    { callId, mark }: Place,
    { isUnused = false }: GiveBackOptions = {},
  ): Promise<boolean> {
    return this.#give(callId, isUnused, mark);
  }

  /** Gives an open call the place that it ought to have, and counts nothing; false when it has one. */
  async adopt(callId: string): Promise<boolean> {
    return (await this.#redis.run((client) => ADOPT.run(client, this.#keys, [callId]))) === 1;
  }

  /** No place is given for so long, by any pod. The later end of two pauses counts. */
  async pause(durationMs: number, cause: PauseCause): Promise<void> {
    const args = [Math.ceil(durationMs), cause];
    await this.#redis.run((client) => PAUSE.run(client, this.#keys, args));
  }

  /** No place is given for the rest of this month. */
  async closeMonth(): Promise<void> {
    await this.#redis.run((client) => CLOSE_MONTH.run(client, this.#keys, []));
  }

  async standing(): Promise<AdmissionStanding> {
    return standingOf(await this.#redis.run((client) => READ.run(client, this.#keys, [])));
  }

  /** All places; there are as many as calls at once. */
  async places(): Promise<Place[]> {
    const reply = await this.#redis.run((client) => PLACES.run(client, this.#keys, []));
    const [now, flat] = Array.isArray(reply) ? reply : [];
    if (!Array.isArray(flat)) return [];
    const places: Place[] = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const mark = String(flat[i + 1]);
      const takenAtMs = Number(mark.slice(mark.lastIndexOf(' ') + 1));
      places.push({ callId: String(flat[i]), mark, ageMs: Number(now) - takenAtMs });
    }
    return places;
  }

  async #give(callId: string, isUnused: boolean, mark: string): Promise<boolean> {
    const args = [callId, isUnused ? 1 : 0, mark];
    return (await this.#redis.run((client) => GIVE_BACK.run(client, this.#keys, args))) === 1;
  }
}

const OUTCOMES: readonly AdmissionOutcome[] = [
  'ok',
  'monthly_limit_reached',
  'paused',
  'too_many_calls',
];

function outcomeOf(word: unknown): AdmissionOutcome {
  return OUTCOMES.find((known) => known === word) ?? 'too_many_calls';
}

function standingOf(reply: unknown): AdmissionStanding {
  const [, calls, made, month, now, pausedUntil, pausedBy, closed, freeEvery]: unknown[] =
    Array.isArray(reply) ? reply : [];
  const nowMs = Number(now);
  const untilMs = Number(pausedUntil);
  const cause = PAUSE_CAUSES.find((known) => known === pausedBy);
  return {
    calls: Number(calls),
    callsThisMonth: Number(made),
    month: String(month),
    monthClosed: closed === 1,
    monthEndsAtMs: endOfMonth(String(month)),
    nowMs,
    ...(untilMs > nowMs && cause !== undefined ? { pause: { untilMs, cause } } : {}),
    freeEveryMs: Number(freeEvery),
  };
}

function endOfMonth(month: string): number {
  const [year = 1970, number = 1] = month.split('-').map(Number);
  return Date.UTC(year, number, 1);
}
