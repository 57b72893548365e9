import type { OpusEngine } from '@earshot/opus';
import { OfflineStreams } from './offline-streams.js';

/**
 * How long after the start of a tone, as found, the frame begins in which it was found, ms, by digit.
 * That frame's way through the worker is what a tone takes; what is between is the tone itself.
 */
export type ToneLags = ReadonlyMap<string, number>;

const FRAME_MS = 20;
const LOOPS = 2;

/** Hears the track twice: the second time as in the middle of a long stream. */
export function measureToneLags(engine: OpusEngine, track: readonly Uint8Array[]): ToneLags {
  const lags = new Map<string, number>();
  let frame = 0;
  const streams = new OfflineStreams(engine, 1, (finding) => {
    if (finding.kind === 'tone') lags.set(finding.digit, frame * FRAME_MS - finding.startMs);
  });
  for (; frame < track.length * LOOPS; frame += 1) {
    streams.hearFrame(() => track[frame % track.length]!);
  }
  return lags;
}
