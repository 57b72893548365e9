import type { HeardTone, SentTicks } from './messages.js';
import type { ToneLags } from './tone-lags.js';

const FRAME_MS = 20;

/**
 * For each tone: from the moment that the frame in which it was found was given to the host's socket,
 * to its finding on the worker's I/O thread. Media time that the detector needs is not in it.
 */
export function toneLatenciesMs(
  tones: readonly HeardTone[],
  links: readonly SentTicks[],
  lags: ToneLags,
): number[] {
  return tones.flatMap((tone) => {
    const link = links.find(({ firstStream, streams }) => {
      return tone.stream >= firstStream && tone.stream < firstStream + streams;
    });
    const lagMs = lags.get(tone.digit);
    if (link === undefined || lagMs === undefined) return [];
    const frame = Math.round((tone.startMs + lagMs - link.startMs) / FRAME_MS);
    const sentAtMs = link.sentAtMs[frame];
    return sentAtMs === undefined ? [] : [tone.heardAtMs - sentAtMs];
  });
}
