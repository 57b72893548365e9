import { DtmfDetector } from '@earshot/dtmf';
import type { HeardDigit } from './score.js';

/** A detector as the bench knows it: one that hears a whole sound at once. */
export interface BenchDetector {
  readonly name: string;
  /** When its reports come, for the reader of the latencies. */
  readonly reports: 'at the end of a tone' | 'within a tone' | 'unknown';
  /** @param pcm at the rate named. */
  hear(pcm: Int16Array, sampleRateHz: 8000 | 16_000): readonly HeardDigit[];
}

/** So much at a time is given to a detector: what latencies are exact to. */
export const STEP_MS = 5;

/** Ours, without a pipeline around it. */
export function ourDetector(): BenchDetector {
  return {
    name: 'earshot',
    reports: 'at the end of a tone',
    hear(pcm, sampleRateHz) {
      const heard: HeardDigit[] = [];
      const step = (sampleRateHz * STEP_MS) / 1000;
      let reportedMs = 0;
      const detector = new DtmfDetector({
        sampleRateHz,
        onTone: ({ digit }) => heard.push({ digit, reportedMs }),
      });
      for (let at = 0; at + step <= pcm.length; at += step) {
        reportedMs = ((at + step) * 1000) / sampleRateHz;
        detector.process(pcm.subarray(at, at + step), reportedMs - STEP_MS);
      }
      detector.discontinuity();
      return heard;
    },
  };
}
