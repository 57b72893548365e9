import type { EngineLoad } from './recognition-messages.js';

/** One sum for each engine and task. */
export function sumEngines(loads: readonly EngineLoad[]): EngineLoad[] {
  const sums = new Map<string, EngineLoad>();
  for (const load of loads) {
    const key = `${load.engine} ${load.task}`;
    const sum = sums.get(key) ?? { ...load, audioMs: 0, busyMs: 0, faults: 0 };
    sums.set(key, {
      ...sum,
      audioMs: sum.audioMs + load.audioMs,
      busyMs: sum.busyMs + load.busyMs,
      faults: sum.faults + load.faults,
    });
  }
  return [...sums.values()];
}
