import { CodedError } from '@earshot/async';
import { say } from '../progress.js';
import { quantile } from '../quartiles.js';
import type { BridgeProcesses, Load } from './bridge-processes.js';
import { messageBytes } from './frame-messages.js';
import type { ReceiveWindow } from './messages.js';

/** Frames a message; a link with 64 streams sends 64, and none sends more today. */
const SIZES = [1, 4, 10, 64, 256] as const;
/** Beyond it, buffers would make V8 collect garbage. */
const MOST_BUFFER_BYTES = 10_000_000;
const MOST_MESSAGES = 16_000;
const ATTEMPTS = 10;

/** What receiving allocates, bytes a frame. */
export interface MemoryFigures {
  readonly framesPerMessage: number;
  readonly ours: Allocation;
  readonly bareWs: Allocation;
}

export interface Allocation {
  readonly heap: number;
  readonly buffers: number;
  readonly retained: number;
}

/** @param processes whose receiver has a roomy heap */
export async function measureBridgeMemory(
  processes: BridgeProcesses,
  { windows }: { readonly windows: number },
): Promise<MemoryFigures[]> {
  say('bridge: memory');
  const figures: MemoryFigures[] = [];
  for (const framesPerMessage of SIZES) {
    const ours = await measureAllocation(processes, 'frames', framesPerMessage, windows);
    const bareWs = await measureAllocation(processes, 'bare', framesPerMessage, windows);
    figures.push({ framesPerMessage, ours, bareWs });
  }
  return figures;
}

async function measureAllocation(
  processes: BridgeProcesses,
  path: Load['path'],
  framesPerMessage: number,
  windows: number,
): Promise<Allocation> {
  const buffered = Math.floor(MOST_BUFFER_BYTES / messageBytes(framesPerMessage));
  const messages = Math.min(MOST_MESSAGES, buffered);
  const grow = (count: number): Promise<ReceiveWindow> =>
    receiveUncollected(processes, { path, messages: count, framesPerMessage });
  await grow(messages);
  const heaps: number[] = [];
  const buffers: number[] = [];
  const retained: number[] = [];
  for (let i = 0; i < windows; i += 1) {
    // What does not depend on the number of frames is not the frames'.
    const shorter = Math.floor(messages / 4);
    const short = await grow(shorter);
    const long = await grow(messages);
    const frames = (messages - shorter) * framesPerMessage;
    heaps.push((long.memory.heapBytes - short.memory.heapBytes) / frames);
    buffers.push((long.memory.externalBytes - short.memory.externalBytes) / frames);
    retained.push((long.memory.retainedBytes - short.memory.retainedBytes) / frames);
  }
  return {
    heap: quantile(heaps, 0.5),
    buffers: quantile(buffers, 0.5),
    retained: quantile(retained, 0.5),
  };
}

async function receiveUncollected(processes: BridgeProcesses, load: Load): Promise<ReceiveWindow> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const window = await processes.receive(load, { gc: true });
    if (window.memory.collections === 0) return window;
  }
  throw new CodedError(
    'bench_disturbed',
    `Cannot tell what is allocated: no garbage may be collected meanwhile, got some ${ATTEMPTS} times`,
  );
}
