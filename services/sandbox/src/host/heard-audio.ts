import { PTIME_MS } from '@earshot/audio';
import { MEETING_FRAME_SAMPLES, MEETING_RATE_HZ } from './send-decoder.js';

const FRAMES_PER_CHUNK = 50;
/** 10 min, 19 MB if all of it is sound. */
const DEFAULT_CHUNKS = 600;

/** What the meeting heard, in one piece. */
export interface HeardPiece {
  /** Place of the first sample on the media clock, ms since its epoch. */
  readonly startMs: number;
  readonly sampleRateHz: number;
  readonly samples: Int16Array;
}

/**
 * What was played into a meeting, as 16-kHz PCM with its place on the media clock: frames that were
 * played, and silence between. Bounded: of the last 10 minutes of the clock up to the newest frame;
 * what is older is forgotten. Stretches in which nothing was played take no memory.
 */
export class HeardAudio {
  readonly #maxChunks: number;
  readonly #chunks = new Map<number, Int16Array>();
  #first: number | undefined;
  #end = 0;
  #originMs = 0;

  /** @param maxSeconds of the clock that are kept. */
  constructor(maxSeconds: number = DEFAULT_CHUNKS) {
    this.#maxChunks = maxSeconds;
  }

  /** Copies 20 ms that are heard from `mediaMs` on; times grow in steps of 20 ms. */
  write(mediaMs: number, pcm: Int16Array): void {
    if (this.#first === undefined) {
      this.#first = 0;
      this.#originMs = mediaMs;
    }
    const frame = Math.round((mediaMs - this.#originMs) / PTIME_MS);
    const index = Math.floor(frame / FRAMES_PER_CHUNK);
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = new Int16Array(FRAMES_PER_CHUNK * MEETING_FRAME_SAMPLES);
      this.#chunks.set(index, chunk);
      this.#forgetBefore(index - this.#maxChunks + 1);
    }
    chunk.set(pcm, (frame % FRAMES_PER_CHUNK) * MEETING_FRAME_SAMPLES);
    this.#end = frame + 1;
  }

  /** Bytes of PCM held. */
  get bytes(): number {
    return this.#chunks.size * FRAMES_PER_CHUNK * MEETING_FRAME_SAMPLES * 2;
  }

  /** A copy of all that is kept; undefined when nothing was ever played. */
  piece(): HeardPiece | undefined {
    if (this.#first === undefined) return undefined;
    const frames = this.#end - this.#first;
    const samples = new Int16Array(frames * MEETING_FRAME_SAMPLES);
    for (const [index, chunk] of this.#chunks) {
      const at = (index * FRAMES_PER_CHUNK - this.#first) * MEETING_FRAME_SAMPLES;
      samples.set(chunk.subarray(0, samples.length - at), at);
    }
    const startMs = this.#originMs + this.#first * PTIME_MS;
    return { startMs, sampleRateHz: MEETING_RATE_HZ, samples };
  }

  #forgetBefore(index: number): void {
    for (const known of this.#chunks.keys()) if (known < index) this.#chunks.delete(known);
    const firstFrame = index * FRAMES_PER_CHUNK;
    if (this.#first !== undefined && this.#first < firstFrame) this.#first = firstFrame;
  }
}
