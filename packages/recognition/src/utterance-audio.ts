import { RECOGNIZER_SAMPLE_RATE_HZ } from './recognizer.js';

const SAMPLES_PER_MS = RECOGNIZER_SAMPLE_RATE_HZ / 1000;
const FIRST_CAPACITY_SAMPLES = 2000 * SAMPLES_PER_MS;

/** From this sample on, sound is of this media time. */
interface Stretch {
  readonly atSample: number;
  readonly mediaMs: number;
}

/** What a recognizer can be given again: sound, and where sound is missing. */
export interface AudioSink {
  push(pcm: Int16Array): void;
  gap(durationMs: number): void;
}

/**
 * The sound of one utterance, kept until its results are there, and the media time of each of its
 * samples. Bounded: what does not fit is refused.
 */
export class UtteranceAudio {
  readonly startMs: number;
  readonly #maxSamples: number;
  readonly #stretches: Stretch[];
  #samples: Int16Array;
  #length = 0;

  /**
   * @param startMs media time of the first sample.
   * @param maxMs most sound that is kept.
   */
  constructor(startMs: number, maxMs: number) {
    this.startMs = startMs;
    this.#maxSamples = Math.ceil(maxMs * SAMPLES_PER_MS);
    this.#samples = new Int16Array(Math.min(FIRST_CAPACITY_SAMPLES, this.#maxSamples));
    this.#stretches = [{ atSample: 0, mediaMs: startMs }];
  }

  /** Samples that were appended. */
  get length(): number {
    return this.#length;
  }

  /** Media time after the last sample. */
  get endMs(): number {
    return this.mediaMsAt(this.#length);
  }

  /** False: it is full, and stays as it is. */
  append(pcm: Int16Array): boolean {
    if (!this.#makeRoom(pcm.length)) return false;
    this.#samples.set(pcm, this.#length);
    this.#length += pcm.length;
    return true;
  }

  /**
   * So much is missing here.
   *
   * @param silenceMs of it, how much is filled with silence; what follows is later by the rest.
   * @returns false when the silence does not fit.
   */
  gap(durationMs: number, silenceMs = 0): boolean {
    const silence = Math.round(Math.min(durationMs, silenceMs) * SAMPLES_PER_MS);
    if (!this.#makeRoom(silence)) return false;
    const mediaMs = this.endMs + durationMs;
    this.#length += silence;
    this.#stretches.push({ atSample: this.#length, mediaMs });
    return true;
  }

  /** Borrowed until the next change. */
  slice(from: number, to: number): Int16Array {
    return this.#samples.subarray(from, Math.min(to, this.#length));
  }

  /** Media time of a sample; those beyond the end are counted on. */
  mediaMsAt(sample: number): number {
    let stretch = this.#stretches[0] as Stretch;
    for (const next of this.#stretches) {
      if (next.atSample > sample) break;
      stretch = next;
    }
    return stretch.mediaMs + (sample - stretch.atSample) / SAMPLES_PER_MS;
  }

  /** The first sample that is of this media time or later. */
  sampleAt(mediaMs: number): number {
    let sample = 0;
    for (const [index, stretch] of this.#stretches.entries()) {
      if (stretch.mediaMs > mediaMs) break;
      const endSample = this.#stretches[index + 1]?.atSample ?? this.#length;
      const wanted = stretch.atSample + Math.ceil((mediaMs - stretch.mediaMs) * SAMPLES_PER_MS);
      sample = Math.min(wanted, endSample);
    }
    return sample;
  }

  /** Gives what follows the sample `from`, which is of `mediaMsAt(from)`, to another. */
  replay(from: number, sink: AudioSink): void {
    let at = from;
    for (const [index, { atSample, mediaMs }] of this.#stretches.entries()) {
      const before = this.#stretches[index - 1];
      if (before === undefined || atSample <= from) continue;
      if (atSample > at) sink.push(this.slice(at, atSample));
      sink.gap(mediaMs - before.mediaMs - (atSample - before.atSample) / SAMPLES_PER_MS);
      at = atSample;
    }
    if (this.#length > at) sink.push(this.slice(at, this.#length));
  }

  #makeRoom(samples: number): boolean {
    const needed = this.#length + samples;
    if (needed > this.#maxSamples) return false;
    if (needed <= this.#samples.length) return true;
    const larger = new Int16Array(
      Math.min(this.#maxSamples, Math.max(needed, this.#samples.length * 2)),
    );
    larger.set(this.#samples.subarray(0, this.#length));
    this.#samples = larger;
    return true;
  }
}
