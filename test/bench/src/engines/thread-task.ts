import type { OpusEngineName } from '@earshot/opus';

/** What `engine-thread.ts` is to measure. */
export interface ThreadTask {
  readonly measure: 'allocation' | 'collections' | 'decoders';
  readonly engine: OpusEngineName;
  /** File of the C control. */
  readonly control: string;
  /** The SILK corpus, shared. */
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

/** What it answers. */
export interface ThreadFigures {
  /** Heap and buffers of V8 per frame, steady. */
  readonly allocBytesPerFrame?: number;
  readonly gcEventsPer100kFrames?: number;
  readonly kibPerDecoder?: number;
  readonly createMicros?: number;
}
