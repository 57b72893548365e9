import type { OpusEngineName } from '@earshot/opus';
import type { BridgeResult } from './bridge/bridge-result.js';

/** The last line of stdout; a documented format (docs/performance.md). */
export interface BenchResult {
  readonly engines: Readonly<Partial<Record<OpusEngineName, EngineResult>>>;
  readonly default: OpusEngineName;
  /** null when it was not run. */
  readonly pipeline: PipelineResult | null;
}

/** The five ratios are CPU time over that of the system's libopus in a C loop. */
export interface EngineResult {
  readonly silk16: number;
  readonly hybrid16: number;
  readonly celt16: number;
  readonly hybrid48: number;
  readonly celt48: number;
  readonly allocBytesPerFrame: number;
  readonly gcEventsPer100kFrames: number;
  readonly kibPerDecoder: number;
  readonly createMicros: number;
  readonly wrongFrames: number;
}

export interface PipelineResult {
  /** Most real-time streams that one core took, I/O thread and decode thread together. */
  readonly streamsPerCore: number;
  /** At that number; from the frame's send to its finding on the I/O thread. */
  readonly p99FrameToFindingMs: number;
  readonly cpuMicrosPerFrame: {
    readonly io: number;
    readonly decode: number;
    readonly analysis: number;
  };
  /** Frames a second of two decode threads over one; null on a machine with one core. */
  readonly scaling: number | null;
}

/** The JSON of a result: numbers as long as they mean something. */
export function toJson(result: BenchResult | BridgeResult): string {
  return JSON.stringify(result, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(4)) : value,
  );
}
