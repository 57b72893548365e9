import type { EngineLoad, SwitchCount } from './recognition-messages.js';

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

/** One sum for each pair of recognizers and reason. */
export function sumSwitches(all: readonly SwitchCount[]): SwitchCount[] {
  const sums = new Map<string, SwitchCount>();
  for (const each of all) {
    const key = `${each.from} ${each.to} ${each.reason}`;
    sums.set(key, { ...each, count: (sums.get(key)?.count ?? 0) + each.count });
  }
  return [...sums.values()];
}
