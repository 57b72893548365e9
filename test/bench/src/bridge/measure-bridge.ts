import { BridgeProcesses } from './bridge-processes.js';
import type { LatencyFigures } from './measure-latency.js';
import { measureBridgeLatency } from './measure-latency.js';
import type { MemoryFigures } from './measure-memory.js';
import { measureBridgeMemory } from './measure-memory.js';
import type { SpeedFigures } from './measure-speed.js';
import { measureBridgeSpeed } from './measure-speed.js';

export interface BridgeFigures {
  readonly speed: readonly SpeedFigures[];
  readonly latency: LatencyFigures;
  readonly memory: readonly MemoryFigures[];
}

const FULL = { rounds: 15, messages: 30_000, durationMs: 20_000, windows: 5 } as const;
const QUICK = { rounds: 3, messages: 5000, durationMs: 500, windows: 1 } as const;

/** What the media link costs, between two processes over the loopback. */
export async function measureBridge({ quick }: { quick: boolean }): Promise<BridgeFigures> {
  const plan = quick ? QUICK : FULL;
  const [speed, latency] = await withProcesses(false, async (processes) => [
    await measureBridgeSpeed(processes, plan),
    await measureBridgeLatency(processes, plan),
  ]);
  const memory = await withProcesses(true, (processes) => measureBridgeMemory(processes, plan));
  return { speed, latency, memory };
}

async function withProcesses<T>(
  roomyHeap: boolean,
  run: (processes: BridgeProcesses) => Promise<T>,
): Promise<T> {
  const processes = await BridgeProcesses.start({ roomyHeap });
  try {
    return await run(processes);
  } finally {
    await processes.kill();
  }
}
