import type { Quartiles } from '../quartiles.js';
import { PAYLOAD_BYTES } from './frame-messages.js';
import type { BridgeFigures } from './measure-bridge.js';
import type { MemoryFigures } from './measure-memory.js';
import type { SpeedFigures } from './measure-speed.js';

/** Numbers by frames a message, such as `{"1": …, "4": …, "10": …}`. */
export type BySize = Readonly<Record<string, number>>;

/** The last line of stdout; a documented format (docs/performance.md). */
export interface BridgeResult {
  /** Of each frame, without its header. */
  readonly payloadBytes: number;
  /** Frames over CPU seconds of the process measured. */
  readonly framesPerSecondPerCore: {
    /** A write to the socket for each message. */
    readonly send: BySize;
    /** Ten messages in one write. */
    readonly sendCorked: BySize;
    readonly receive: BySize;
    /** `ws` alone, which counts bytes. */
    readonly receiveBareWs: BySize;
  };
  /** `receive` over `receiveBareWs`, the median of the rounds. */
  readonly ratioToRawWs: BySize;
  /** From the sender's stamp to the handler, over all frames. */
  readonly p50FrameLatencyMs: number;
  readonly p99FrameLatencyMs: number;
  readonly maxFrameLatencyMs: number;
  /** Objects on V8's heap, at ten frames a message: those of `ws` and ours. */
  readonly allocBytesPerFrameReceive: number;
  /** The same of `ws` alone. */
  readonly allocBytesPerFrameBareWs: number;
  /** The difference: what our side of the link allocates. */
  readonly allocBytesPerFrameAdded: number;
  /** Heap and buffers that a garbage collection leaves, at ten frames a message. */
  readonly retainedBytesPerFrame: number;
  readonly memory: {
    readonly heapBytesPerFrame: BySize;
    readonly heapBytesPerFrameBareWs: BySize;
    /** Outside the heap: what Node reads sockets into, whoever takes it from there. */
    readonly bufferBytesPerFrame: BySize;
  };
}

const ALLOCATION_SIZE = 10;

export function toBridgeResult({ speed, latency, memory }: BridgeFigures): BridgeResult {
  const atTen = memory.find((figures) => figures.framesPerMessage === ALLOCATION_SIZE);
  const receiveBytes = atTen?.ours.heap ?? Number.NaN;
  const bareBytes = atTen?.bareWs.heap ?? Number.NaN;
  return {
    payloadBytes: PAYLOAD_BYTES,
    framesPerSecondPerCore: {
      send: medians(speed, ({ send }) => send),
      sendCorked: medians(speed, ({ sendCorked }) => sendCorked),
      receive: medians(speed, ({ receive }) => receive),
      receiveBareWs: medians(speed, ({ bareWs }) => bareWs),
    },
    ratioToRawWs: medians(speed, ({ ratio }) => ratio),
    p50FrameLatencyMs: latency.p50Ms,
    p99FrameLatencyMs: latency.p99Ms,
    maxFrameLatencyMs: latency.maxMs,
    allocBytesPerFrameReceive: receiveBytes,
    allocBytesPerFrameBareWs: bareBytes,
    allocBytesPerFrameAdded: receiveBytes - bareBytes,
    retainedBytesPerFrame: atTen?.ours.retained ?? Number.NaN,
    memory: {
      heapBytesPerFrame: bySize(memory, ({ ours }) => ours.heap),
      heapBytesPerFrameBareWs: bySize(memory, ({ bareWs }) => bareWs.heap),
      bufferBytesPerFrame: bySize(memory, ({ ours }) => ours.buffers),
    },
  };
}

function medians(
  figures: readonly SpeedFigures[],
  pick: (figures: SpeedFigures) => Quartiles,
): BySize {
  return bySize(figures, (at) => pick(at).median);
}

function bySize<Figures extends SpeedFigures | MemoryFigures>(
  figures: readonly Figures[],
  pick: (figures: Figures) => number,
): BySize {
  return Object.fromEntries(figures.map((at) => [String(at.framesPerMessage), pick(at)]));
}
