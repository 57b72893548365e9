import { PTIME_MS, samplesPerFrame } from '@earshot/audio';
import type { CallToneKind } from '@earshot/call-tones';
import type { FindingSink } from './finding.js';
import type { PcmRing } from './pcm-ring.js';
import type { CarriesPrevious, DecoderPool, SpeechModel } from './ports.js';

/** Rate of the PCM that the pipeline works on, whatever the source's rate. */
export const SESSION_SAMPLE_RATE_HZ = 16_000;

/** Samples of one frame at the session's rate: the size of the PCM slot a pipeline needs. */
export const FRAME_SAMPLES: number = samplesPerFrame(SESSION_SAMPLE_RATE_HZ);

/** Frames of concealment in a row before silence is more honest. */
export const MAX_CONCEALED_FRAMES = 5;

/** Capture times may jitter by less than this without meaning that the source was silent. */
export const JUMP_TOLERANCE_MS: number = PTIME_MS / 2;

/** A source that was silent for no longer than this made a pause within its speech. */
export const MAX_PAUSE_MS = 300;

/**
 * - `findings`: frames are decoded and listened to.
 * - `none`: nobody wants to know what sounds, as where frames are only passed on: order, gaps and
 *   counts are kept, nothing is decoded, concealed or listened to.
 */
export type Listening = 'findings' | 'none';

export interface StreamPipelineOptions {
  /** What the frames carry, besides silence; one of `CODEC`. A frame of another is corrupt. */
  readonly codec: number;
  /** @defaultValue `findings` */
  readonly listening?: Listening;
  /** Tones that are told besides digits; `listenForTones` changes them. @defaultValue none */
  readonly tones?: readonly CallToneKind[];
  readonly decoders: Pick<DecoderPool, 'acquire'>;
  /** @defaultValue no packet does: what is lost is concealed, not recovered. */
  readonly carriesPrevious?: CarriesPrevious;
  /** Confirms what may be speech. @defaultValue none: speech is told by level alone */
  readonly speechModel?: SpeechModel | undefined;
  /**
   * Memory from `StreamCounters.allocate`, written by the pipeline. It names the sequence number of
   * the first frame (one beyond it is a gap), and where findings begin if that is later. It may hold
   * the counts of an earlier pipeline, which go on.
   */
  readonly counters: SharedArrayBuffer;
  /** Where what is heard goes to, for a recognizer. */
  readonly listener?: PcmRing | undefined;
  readonly sink: FindingSink;
}
