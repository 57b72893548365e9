import { monotonicMs } from '../pipeline/monotonic.js';
import { say } from '../progress.js';
import { quantile } from '../quartiles.js';
import type { BenchDeployment } from './bench-deployment.js';
import { TENANT } from './bench-deployment.js';
import { stateBody } from './bench-notifications.js';

export interface JoinFigures {
  readonly perMinute: number;
  /** CPU time of the service for one, ms. */
  readonly cpuMs: number;
  /** From the request to its answer. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const AT_ONCE = 16;

/** Calls from `POST /v1/calls` to their end, several side by side. */
export async function measureJoins(
  deployment: BenchDeployment,
  quick: boolean,
): Promise<JoinFigures> {
  const token = await deployment.graph.token(TENANT);
  const timesMs: number[] = [];
  const run = async (joins: number): Promise<void> => {
    let left = joins;
    const lane = async (): Promise<void> => {
      for (; left > 0; ) {
        left -= 1;
        const beganMs = monotonicMs();
        const call = await deployment.join();
        timesMs.push(monotonicMs() - beganMs);
        await deployment.hangUp(call);
        await deployment.callBack(call.leg, stateBody(call.leg.id, 'terminated'), token);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  };
  say('signaling: calls come and go');
  await run(quick ? 50 : 200);
  timesMs.length = 0;
  const joins = quick ? 200 : 1_500;
  const beganMs = monotonicMs();
  const cpuMicros = await deployment.cpuMicros();
  await run(joins);
  const usedMicros = (await deployment.cpuMicros()) - cpuMicros;
  return {
    perMinute: joins / ((monotonicMs() - beganMs) / 60_000),
    cpuMs: usedMicros / 1_000 / joins,
    p50Ms: quantile(timesMs, 0.5),
    p99Ms: quantile(timesMs, 0.99),
  };
}
