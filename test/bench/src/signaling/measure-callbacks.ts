import { setTimeout as sleep } from 'node:timers/promises';
import { monotonicMs } from '../pipeline/monotonic.js';
import { say } from '../progress.js';
import { quantile } from '../quartiles.js';
import type { BenchCall, BenchDeployment } from './bench-deployment.js';
import { TENANT } from './bench-deployment.js';
import { rosterBody, stateBody } from './bench-notifications.js';

export interface CallbackFigures {
  /** Over the CPU time of the process: what one core would take, without Redis. */
  readonly perSecondPerCore: number;
  readonly cpuMicros: number;
  /** By the clock, on this machine with Redis and the bench beside. */
  readonly perSecondByClock: number;
  /** At 500 callbacks/s. */
  readonly p50Ms: number;
  /** The median of ten stretches. */
  readonly p99Ms: number;
  /** Of all. */
  readonly maxMs: number;
}

/** Graph allows an app a hundred at a time. */
const CALLS = 90;
const PEOPLE = 6;
const PACE = 500;
const STRETCHES = 10;
const AT_ONCE = 64;
const POLL_MS = 20;

/** How many callbacks the service takes, and how soon it acknowledges them. */
export async function measureCallbacks(
  deployment: BenchDeployment,
  quick: boolean,
): Promise<CallbackFigures> {
  say(`signaling: ${CALLS} calls join`);
  const load = await CallbackLoad.begin(deployment);
  // Until the machine code is made.
  await load.flood(quick ? 1_000 : 5_000);
  say('signaling: callbacks as fast as they go');
  const speeds = [];
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    speeds.push(await measureSpeed(deployment, load, quick ? 3_000 : 10_000));
  }
  const sorted = speeds.sort((a, b) => a.perSecondPerCore - b.perSecondPerCore);
  const median = sorted[Math.floor(sorted.length / 2)];
  if (median === undefined) throw new Error('There must be a round');
  say(`signaling: ${PACE} callbacks a second`);
  const times = await load.pace(quick ? 2_500 : 15_000);
  await load.end();
  const stretches = Array.from({ length: STRETCHES }, (_, i) =>
    times.slice((i * times.length) / STRETCHES, ((i + 1) * times.length) / STRETCHES),
  );
  const p99s = stretches.map((stretch) => quantile(stretch, 0.99));
  return {
    ...median,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(p99s, 0.5),
    maxMs: quantile(times, 1),
  };
}

async function measureSpeed(deployment: BenchDeployment, load: CallbackLoad, callbacks: number) {
  const beganMs = monotonicMs();
  const cpuMicros = await deployment.cpuMicros();
  await load.flood(callbacks);
  const usedMicros = (await deployment.cpuMicros()) - cpuMicros;
  return {
    perSecondPerCore: callbacks / (usedMicros / 1e6),
    cpuMicros: usedMicros / callbacks,
    perSecondByClock: callbacks / ((monotonicMs() - beganMs) / 1_000),
  };
}

/** Callbacks of calls in turns: a roster in which somebody muted, then a state that stays. */
class CallbackLoad {
  readonly #deployment: BenchDeployment;
  readonly #calls: readonly BenchCall[];
  readonly #token: string;
  #next = 0;

  private constructor(deployment: BenchDeployment, calls: readonly BenchCall[], token: string) {
    this.#deployment = deployment;
    this.#calls = calls;
    this.#token = token;
  }

  static async begin(deployment: BenchDeployment): Promise<CallbackLoad> {
    const calls = [];
    for (let i = 0; i < CALLS; i += 1) calls.push(await deployment.join());
    const token = await deployment.graph.token(TENANT);
    for (const { leg } of calls) {
      await deployment.callBack(leg, stateBody(leg.id, 'established'), token);
    }
    return new CallbackLoad(deployment, calls, token);
  }

  /** As many at once as there are connections; resolves when all are folded into their calls. */
  async flood(callbacks: number): Promise<void> {
    let left = callbacks;
    const lane = async (): Promise<void> => {
      for (; left > 0; ) {
        left -= 1;
        await this.#post();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    while ((await this.#deployment.callbackAgeSeconds()) > 0) await sleep(POLL_MS);
  }

  /** Evenly; how long each took from when it was due, ms. */
  async pace(callbacks: number): Promise<number[]> {
    const startMs = monotonicMs();
    const timesMs: number[] = [];
    const posts: Promise<void>[] = [];
    while (posts.length < callbacks) {
      const due = Math.floor(((monotonicMs() - startMs) * PACE) / 1_000);
      for (let i = posts.length; i < Math.min(due, callbacks); i += 1) {
        const dueMs = startMs + (i * 1_000) / PACE;
        posts.push(
          this.#post().then(() => {
            timesMs[i] = monotonicMs() - dueMs;
          }),
        );
      }
      await sleep(1);
    }
    await Promise.all(posts);
    return timesMs;
  }

  /** All calls end. */
  async end(): Promise<void> {
    for (const { leg } of this.#calls) {
      await this.#deployment.callBack(leg, stateBody(leg.id, 'terminated'), this.#token);
    }
  }

  #post(): Promise<void> {
    const number = this.#next;
    this.#next += 1;
    const turn = Math.floor(number / this.#calls.length);
    const { leg } = this.#calls[number % this.#calls.length] ?? failed();
    const roster = { muted: turn % PEOPLE, sequence: turn + 2 };
    const body =
      turn % 2 === 0 ? rosterBody(leg.id, PEOPLE, roster) : stateBody(leg.id, 'established');
    return this.#deployment.callBack(leg, body, this.#token);
  }
}

function failed(): never {
  throw new Error('There must be a call');
}
