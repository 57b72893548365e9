import type { OpusEngine } from '@earshot/opus';
import type { Control } from '../control/control.js';
import { quantile } from '../quartiles.js';
import { OfflineStreams } from './offline-streams.js';

/** CPU time a frame, µs. */
export interface FrameCost {
  readonly decode: number;
  readonly analysis: number;
}

const STREAMS = 64;
const FRAMES_PER_SLICE = 20;
const SLICES = 80;
/** Until the compilers are done: some 60,000 frames of either kind. */
const WARM_UP_SLICES = 50;

/** Decoding alone and with listening in slices side by side; analysis is the difference. */
export function measureFrameCost(
  engine: OpusEngine,
  control: Control,
  track: readonly Uint8Array[],
): FrameCost {
  const streams = new OfflineStreams(engine, STREAMS, () => {});
  let decodedFrames = 0;
  let heardFrames = 0;
  const packetOf = (frame: number) => (stream: number) =>
    track[(frame + stream * 13) % track.length]!;
  const slice = (run: () => void): number => {
    const startNs = control.cpuNs();
    for (let i = 0; i < FRAMES_PER_SLICE; i += 1) run();
    return (control.cpuNs() - startNs) / 1000 / FRAMES_PER_SLICE / STREAMS;
  };
  const decode: number[] = [];
  const analysis: number[] = [];
  for (let i = 0; i < WARM_UP_SLICES + SLICES; i += 1) {
    const decodeMicros = slice(() => streams.decodeFrame(packetOf(decodedFrames++)));
    const hearMicros = slice(() => streams.hearFrame(packetOf(heardFrames++)));
    if (i < WARM_UP_SLICES) continue;
    decode.push(decodeMicros);
    analysis.push(hearMicros - decodeMicros);
  }
  return { decode: quantile(decode, 0.5), analysis: quantile(analysis, 0.5) };
}
